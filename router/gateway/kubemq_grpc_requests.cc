#include "router/gateway/kubemq_grpc_requests.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"
#include "router/gateway/remote_queries.h"

namespace llm_router {
RequestCall::RequestCall(std::shared_ptr<DoorState> state, CallerPtr caller, const kubemq::Request& request,
                         kubemq::Response* response)
    : state_(std::move(state)), question_(request, std::move(caller)), response_(response) {}

void RequestCall::Accept() {
  self_ = shared_from_this();
  state_->loop.Post([self = self_] { self->Begin(); });
}

void RequestCall::OnCancel() {
  state_->loop.Post([self = self_] {
    self->gone_ = true;
    self->state_->server->tasks().Cancel(self->task_);
  });
}

void RequestCall::Begin() {
  if (gone_) return Finish(grpc::Status::CANCELLED);
  if (state_->server->refusing()) return Finish(NotReady());
  task_ = state_->server->tasks().Spawn(Run(shared_from_this()));
}

Awaitable<void> RequestCall::Run(std::shared_ptr<RequestCall> self) {
  self->Finish(self->Outcome(co_await self->state_->asker.Ask(std::move(self->question_))));
}

grpc::Status RequestCall::Outcome(absl::StatusOr<kubemq::Response> response) {
  if (gone_) return grpc::Status::CANCELLED;
  if (absl::IsUnavailable(response.status())) return NotReady();
  if (!response.ok()) return Refusal(MessageOf(response.status()));
  *response_ = *std::move(response);
  return grpc::Status::OK;
}

Awaitable<void> RequestStream::Subscribe(std::shared_ptr<SubscriberStream> held) {
  const auto self = std::static_pointer_cast<RequestStream>(held);
  auto subscription =
      co_await state().server->broker().Serve(ServeOptionsFor(subscribe_, kUnboundCapacity),
                                              [self](Query query) { return Handle(self, std::move(query)); });
  if (ended()) co_return;
  if (!subscription.ok()) {
    End(Refusal(MessageOf(subscription.status())));
    co_return;
  }
  subscription_ = *std::move(subscription);
  state().server->channels().Subscribed(TypeOf(subscribe_), subscribe_.channel());
  Confirm();
}

void RequestStream::LetGo() {
  if (!subscription_) return;
  state().server->channels().Unsubscribed(TypeOf(subscribe_), subscribe_.channel());
  auto subscription = std::exchange(subscription_, nullptr);
  if (!state().server->options().announce && !state().server->refusing()) {
    state().server->tasks().Spawn(DrainThenLetGo(std::move(subscription)));
    return;
  }
  // The subscription's end cancels the handlers; their callers should hear worker_lost whatever the broker
  // makes of that.
  for (PendingReplies::Pending* pending : unanswered_) pending->Set(WorkerLost());
}

Awaitable<void> RequestStream::DrainThenLetGo(SubscriptionPtr subscription) {
  co_await subscription->Drain();
}

Awaitable<absl::StatusOr<Reply>> RequestStream::Handle(std::shared_ptr<RequestStream> self, Query query) {
  if (self->ended()) co_return WorkerLost();
  const TimePoint deadline = query.deadline;
  PendingReplies::Pending pending(self->state().server->replies(), self->state().loop.executor());
  self->unanswered_.insert(&pending);
  kubemq::Request request = Delivered(*self->state().server, std::move(query), pending.reply_channel());
  const size_t bytes = request.body().size();
  self->Push(std::move(request), bytes);
  auto reply = co_await pending.Wait(deadline);
  self->unanswered_.erase(&pending);
  // A query whose caller has left in the meantime need not be sent.
  if (!reply) {
    self->outbox().Withdraw(
        [&](const kubemq::Request& unsent) { return unsent.replychannel() == pending.reply_channel(); });
  }
  co_return AnswerOf(std::move(reply));
}

}  // namespace llm_router
