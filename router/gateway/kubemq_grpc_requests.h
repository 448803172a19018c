// The queries' half of the KubeMQ door: one call of SendRequest, and one subscriber of SubscribeToRequests.
#pragma once

#include <memory>
#include <set>

#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

// One SendRequest. Shared by gRPC until OnDone and by its coroutine.
class RequestCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<RequestCall> {
 public:
  RequestCall(std::shared_ptr<DoorState> state, const kubemq::Request& request, kubemq::Response* response);

  void Accept();
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

 private:
  void Begin();
  bool IsTooMuch() const;
  static Awaitable<void> Run(std::shared_ptr<RequestCall> self);
  grpc::Status Outcome(absl::StatusOr<kubemq::Response> response, bool cut);

  std::shared_ptr<DoorState> state_;
  Question question_;
  Tags tags_;  // of the question, for an answer of our own
  kubemq::Response* response_;
  TaskGroup::TaskId task_ = 0;
  bool gone_ = false;                  // the caller
  std::shared_ptr<RequestCall> self_;  // held for gRPC until OnDone
};

// One remote subscriber to queries or commands: a handler on the broker that asks over the stream.
class RequestStream final : public SubscriberStream<kubemq::Request> {
 public:
  RequestStream(std::shared_ptr<DoorState> state, const kubemq::Subscribe& subscribe, size_t capacity)
      : SubscriberStream(std::move(state), subscribe), capacity_(capacity) {}

  Awaitable<void> DrainSubscription() override;

 private:
  Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) override;
  void LetGo() override;
  bool IsWanted(const kubemq::Request& request) const override;
  void Written(const kubemq::Request& request) override;

  std::shared_ptr<RequestStream> Self();
  static Awaitable<absl::StatusOr<Reply>> Handle(std::shared_ptr<RequestStream> self, Query query);
  static Awaitable<void> DrainThenLetGo(std::shared_ptr<Subscription> subscription);

  const size_t capacity_;
  // Shared: a drain may be under way when the stream ends.
  std::shared_ptr<Subscription> subscription_;
  std::set<PendingReplies::Pending*> unanswered_;
};

}  // namespace llm_router
