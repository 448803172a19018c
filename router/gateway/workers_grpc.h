// The door's service for workers of ours (proto/workers.proto): one stream a subscription, queries out,
// answers in.
#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/kubemq/inbox.h"
#include "router/gateway/kubemq_grpc_stream.h"
#include "workers.grpc.pb.h"

namespace llm_router {

class WorkersService final : public wire::Workers::CallbackService {
 public:
  explicit WorkersService(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}

  grpc::ServerBidiReactor<wire::FromWorker, wire::ToWorker>* Serve(
      grpc::CallbackServerContext* context) override;

 private:
  std::shared_ptr<DoorState> state_;  // shared with the streams, which outlast a method
};

// One worker's subscription: a handler on the broker that asks over the stream and is answered on it.
class WorkerStream final
    : public SubscriberStream<grpc::ServerBidiReactor<wire::FromWorker, wire::ToWorker>, wire::ToWorker> {
 public:
  using SubscriberStream::SubscriberStream;

  // Instead of Accept: that follows the first message.
  void Open();
  void OnReadDone(bool ok) override;

 private:
  using Answer = OneShot<absl::StatusOr<Reply>>;

  void Subscribed(const wire::FromWorker& message);
  Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) override;
  void LetGo() override;
  void TakeMessages();
  void Take(wire::FromWorker& message);
  void Answered(const kubemq::Response& response);
  static Awaitable<void> Drain(std::shared_ptr<WorkerStream> self);
  static Awaitable<absl::StatusOr<Reply>> Handle(std::shared_ptr<WorkerStream> self, Query query);

  wire::Subscription asked_;
  bool is_open_ = false;  // the first message came; gRPC's thread
  wire::FromWorker slot_;
  Inbox<wire::FromWorker> inbox_;
  // Shared: a drain may be under way when the stream ends.
  std::shared_ptr<Subscription> subscription_;
  absl::flat_hash_map<uint64_t, Answer*> unanswered_;
  uint64_t next_ = 0;
};

}  // namespace llm_router
