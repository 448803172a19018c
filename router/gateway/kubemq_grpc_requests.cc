#include "router/gateway/kubemq_grpc_requests.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"
#include "router/gateway/remote_queries.h"

namespace llm_router {
namespace {

constexpr int64_t kMaxInFlight = 100'000;
constexpr size_t kMaxBytesInFlight = size_t{2} * 1024 * 1024 * 1024;

}  // namespace

RequestCall::RequestCall(std::shared_ptr<DoorState> state, const kubemq::Request& request,
                         kubemq::Response* response)
    : state_(std::move(state)),
      question_(request),
      tags_(question_.query.message.tags),
      response_(response) {}

void RequestCall::Accept() {
  self_ = shared_from_this();
  state_->loop.Post([self = self_] { self->Begin(); });
}

void RequestCall::OnCancel() {
  state_->loop.Post([self = self_] {
    self->gone_ = true;
    self->state_->tasks.Cancel(self->task_);
  });
}

bool RequestCall::IsTooMuch() const {
  return state_->stats.in_flight >= kMaxInFlight ||
         state_->bytes_in_flight + question_.query.message.body.size() > kMaxBytesInFlight;
}

void RequestCall::Begin() {
  if (state_->stopping) return Finish(NotReady());
  if (gone_) return Finish(grpc::Status::CANCELLED);
  if (IsTooMuch()) {
    const auto failure = MakeFault(Fault::kOverloaded, "too many queries are under way: ask again later");
    *response_ = ToWire(FailedReply(failure, tags_));
    response_->set_requestid(question_.query.message.id);
    return Finish(grpc::Status::OK);
  }
  task_ = state_->tasks.Spawn(Run(shared_from_this()));
}

Awaitable<void> RequestCall::Run(std::shared_ptr<RequestCall> self) {
  DoorState& state = *self->state_;
  const size_t bytes = self->question_.query.message.body.size();
  ++state.stats.in_flight;
  state.bytes_in_flight += bytes;
  auto response = co_await state.asker.Ask(std::move(self->question_));
  const bool cut = state.grace_over && co_await Cancelled();
  self->Finish(self->Outcome(std::move(response), cut));
  --state.stats.in_flight;
  state.bytes_in_flight -= bytes;
  state.changed.cancel();
}

grpc::Status RequestCall::Outcome(absl::StatusOr<kubemq::Response> response, bool cut) {
  if (gone_) return grpc::Status::CANCELLED;
  if (cut) {
    const auto failure = MakeFault(Fault::kShuttingDown, "the server is shutting down: ask again");
    *response_ = ToWire(FailedReply(failure, tags_));
    return grpc::Status::OK;
  }
  if (!response.ok()) return Refusal(MessageOf(response.status()));
  *response_ = *std::move(response);
  return grpc::Status::OK;
}

Awaitable<void> RequestStream::Subscribe(std::shared_ptr<SubscriberStream> held) {
  const auto self = std::static_pointer_cast<RequestStream>(held);
  auto subscription =
      co_await state().broker.Serve(ServeOptionsFor(subscribe_, kUnboundCapacity),
                                    [self](Query query) { return Handle(self, std::move(query)); });
  if (ended()) co_return;
  if (!subscription.ok()) {
    End(Refusal(MessageOf(subscription.status())));
    co_return;
  }
  subscription_ = *std::move(subscription);
  state().channels.Subscribed(TypeOf(subscribe_), subscribe_.channel());
  Confirm();
}

void RequestStream::LetGo() {
  if (!subscription_) return;
  state().channels.Unsubscribed(TypeOf(subscribe_), subscribe_.channel());
  auto subscription = std::exchange(subscription_, nullptr);
  if (!state().options.announce && !state().stopping) {
    state().tasks.Spawn(DrainThenLetGo(std::move(subscription)));
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
  PendingReplies::Pending pending(self->state().replies, self->state().loop.executor());
  self->unanswered_.insert(&pending);
  kubemq::Request request = Delivered(self->state(), std::move(query), pending.reply_channel());
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
