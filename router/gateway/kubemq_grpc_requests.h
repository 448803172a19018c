// The queries' half of the KubeMQ door: one call of SendRequest, and one subscriber of SubscribeToRequests.
#pragma once

#include <memory>
#include <set>

#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

// One SendRequest. Shared by gRPC until OnDone and by its coroutine.
class RequestCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<RequestCall> {
 public:
  RequestCall(std::shared_ptr<DoorState> state, CallerPtr caller, const kubemq::Request& request,
              kubemq::Response* response);

  void Accept();
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

 private:
  void Begin();
  static Awaitable<void> Run(std::shared_ptr<RequestCall> self);
  grpc::Status Outcome(absl::StatusOr<kubemq::Response> response);

  std::shared_ptr<DoorState> state_;
  Question question_;
  kubemq::Response* response_;
  TaskGroup::TaskId task_ = 0;
  bool gone_ = false;                  // the caller
  std::shared_ptr<RequestCall> self_;  // held for gRPC until OnDone
};

// One remote subscriber of SubscribeToRequests: a handler on the broker that asks over the stream, and is
// answered by SendResponse.
class RequestStream final
    : public SubscriberStream<grpc::ServerWriteReactor<kubemq::Request>, kubemq::Request> {
 public:
  RequestStream(std::shared_ptr<DoorState> state, const kubemq::Subscribe& subscribe)
      : SubscriberStream(std::move(state)), subscribe_(subscribe) {}

 private:
  Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) override;
  void LetGo() override;

  static Awaitable<absl::StatusOr<Reply>> Handle(std::shared_ptr<RequestStream> self, Query query);
  static Awaitable<void> DrainThenLetGo(SubscriptionPtr subscription);

  const kubemq::Subscribe subscribe_;
  SubscriptionPtr subscription_;
  std::set<PendingReplies::Pending*> unanswered_;
};

}  // namespace llm_router
