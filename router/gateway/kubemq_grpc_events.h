// The events' half of the KubeMQ door: one subscriber of SubscribeToEvents, and one sender's
// SendEventsStream.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

// One remote subscriber to events. What it is too slow to take beyond 1,024 events or 64 MiB is dropped.
class EventSubscriberStream final
    : public SubscriberStream<grpc::ServerWriteReactor<kubemq::EventReceive>, kubemq::EventReceive> {
 public:
  EventSubscriberStream(std::shared_ptr<DoorState> state, const kubemq::Subscribe& subscribe)
      : SubscriberStream(std::move(state)), subscribe_(subscribe) {}

 private:
  Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) override;
  void LetGo() override;
  void Offer(const Message& event);
  void Drop();

  const kubemq::Subscribe subscribe_;
  SubscriptionPtr subscription_;
  uint64_t dropped_ = 0;
  TimePoint told_{};  // when the log last said so
};

// One sender. Events are published in the order they came; refused ones are answered, and stored ones once
// they are kept. Shared by gRPC until OnDone, by the door until the end, and by what is being stored.
class EventSenderStream final : public grpc::ServerBidiReactor<kubemq::Event, kubemq::Result>,
                                public DoorStream,
                                public std::enable_shared_from_this<EventSenderStream> {
 public:
  explicit EventSenderStream(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}

  void Accept();
  void End(const grpc::Status& status) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

 private:
  void Join();
  void Received(bool ok);
  void Publish();
  static Awaitable<void> Store(std::shared_ptr<EventSenderStream> self, kubemq::Event event);
  void Tell(const std::string& event, std::string_view error);
  void WriteNext();
  void MaybeFinish();

  std::shared_ptr<DoorState> state_;
  kubemq::Event event_;
  kubemq::Result result_;
  std::deque<kubemq::Result> results_;
  size_t storing_ = 0;  // events whose results follow
  bool reading_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  bool ended_ = false;
  bool finished_ = false;
  grpc::Status end_;
  std::shared_ptr<EventSenderStream> self_;  // held for gRPC until OnDone
};

}  // namespace llm_router
