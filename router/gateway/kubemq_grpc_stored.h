// The stored events' half of the KubeMQ door: one subscriber of SubscribeToEvents with type EventsStore, and
// one SendEvent with Store.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "broker_adapters/stored_events.h"
#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

// One remote subscriber. An event is acknowledged when gRPC has written it; what a slow subscriber does not
// take waits at the engine.
class StoredSubscriberStream final
    : public SubscriberStream<grpc::ServerWriteReactor<kubemq::EventReceive>, kubemq::EventReceive> {
 public:
  StoredSubscriberStream(std::shared_ptr<DoorState> state, const kubemq::Subscribe& subscribe)
      : SubscriberStream(std::move(state)), subscribe_(subscribe) {}

  void OnWriteDone(bool ok) override;

 private:
  Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) override;
  void LetGo() override;
  void Offer(const StoredEvent& event);
  void Written();

  const kubemq::Subscribe subscribe_;
  StoredSubscriptionPtr subscription_;
  std::deque<uint64_t> handed_;  // numbers of what was pushed and is not yet written, in that order
};

// The loop's part of one SendEvent: finishes `reactor`, which keeps event and result until then.
Awaitable<void> SendStored(std::shared_ptr<DoorState> state, grpc::ServerUnaryReactor* reactor,
                           const kubemq::Event* event, kubemq::Result* result, CallerPtr caller);

}  // namespace llm_router
