#include "router/gateway/workers_grpc.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_grpc_admit.h"
#include "router/gateway/remote_queries.h"

namespace llm_router {
namespace {

constexpr size_t kMaxCapacity = 10'000;

size_t CapacityOf(const wire::Subscription& asked) {
  return asked.capacity() == 0 ? kUnboundCapacity : std::min<size_t>(asked.capacity(), kMaxCapacity);
}

}  // namespace

grpc::ServerBidiReactor<wire::FromWorker, wire::ToWorker>* WorkersService::Serve(
    grpc::CallbackServerContext* context) {
  using Refused = RefusedExchange<wire::FromWorker, wire::ToWorker>;
  if (state_->server->refusing()) return new Refused(NotReady());
  const auto caller = Admit(*state_, *context, __func__);
  if (!caller.ok()) return new Refused(Refusal(caller.status()));
  // gRPC and the coroutines share it: any of them may be the last.
  const auto stream = std::make_shared<WorkerStream>(state_);
  stream->peer = context->peer();
  stream->caller = *caller;
  stream->Open();
  return stream.get();
}

void WorkerStream::Open() {
  Hold();
  StartRead(&slot_);
}

void WorkerStream::OnReadDone(bool ok) {
  if (!ok) return OnCancel();
  if (!std::exchange(is_open_, true)) {
    Subscribed(slot_);
    return StartRead(&slot_);
  }
  const auto added = inbox_.Add(std::exchange(slot_, wire::FromWorker()));
  if (added.tell) {
    Post([](auto& self) { static_cast<WorkerStream&>(self).TakeMessages(); });
  }
  if (added.read_on) StartRead(&slot_);
}

void WorkerStream::Subscribed(const wire::FromWorker& message) {
  asked_ = message.subscribe();
  const std::string_view text = kubemq_check::RequestsSubscription(asked_.subscribe());
  const absl::Status allowed = text.empty() ? CheckNoted(state(), *caller, asked_.subscribe(), peer)
                                            : MakeFault(Fault::kInvalidRequest, text);
  if (allowed.ok()) return Begin();
  Post([allowed](auto& self) { self.End(Refusal(allowed)); });
}

Awaitable<void> WorkerStream::Subscribe(std::shared_ptr<SubscriberStream> held) {
  const auto self = std::static_pointer_cast<WorkerStream>(held);
  auto subscription =
      co_await state().server->broker().Serve(ServeOptionsFor(asked_.subscribe(), CapacityOf(asked_)),
                                              [self](Query query) { return Handle(self, std::move(query)); });
  if (ended()) co_return;
  if (!subscription.ok()) {
    End(Refusal(MessageOf(subscription.status())));
    co_return;
  }
  subscription_ = *std::move(subscription);
  state().server->channels().Subscribed(TypeOf(asked_.subscribe()), asked_.subscribe().channel());
  Confirm();
}

void WorkerStream::LetGo() {
  if (!subscription_) return;
  state().server->channels().Unsubscribed(TypeOf(asked_.subscribe()), asked_.subscribe().channel());
  // The subscription's end cancels the handlers; their callers should hear worker_lost whatever the broker
  // makes of that.
  for (const auto& [number, answer] : unanswered_) answer->Set(WorkerLost());
  subscription_.reset();
}

void WorkerStream::TakeMessages() {
  auto taken = inbox_.Take();
  for (wire::FromWorker& message : taken.messages) {
    if (ended()) return;
    Take(message);
  }
  if (taken.read_on && !ended()) StartRead(&slot_);
}

void WorkerStream::Take(wire::FromWorker& message) {
  if (message.has_reply()) return Answered(message.reply());
  if (!message.has_drain()) return End(Refusal("a stream carries one subscription: open another"));
  state().tasks.Spawn(Drain(std::static_pointer_cast<WorkerStream>(shared_from_this())));
}

void WorkerStream::Answered(const kubemq::Response& response) {
  const auto number = ParseNumber<uint64_t>(response.replychannel());
  const auto found = number ? unanswered_.find(*number) : unanswered_.end();
  if (found == unanswered_.end()) {
    ++state().stats.stray_answers;
    return;
  }
  found->second->Set(FromWire(response));
}

Awaitable<void> WorkerStream::Drain(std::shared_ptr<WorkerStream> self) {
  if (const auto subscription = self->subscription_) co_await subscription->Drain();
  wire::ToWorker message;
  message.mutable_drained();
  self->Push(std::move(message), 0);
}

Awaitable<absl::StatusOr<Reply>> WorkerStream::Handle(std::shared_ptr<WorkerStream> self, Query query) {
  if (self->ended()) co_return WorkerLost();
  const TimePoint deadline = query.deadline;
  const uint64_t number = self->next_++;
  Answer answer(self->state().loop.executor());
  self->unanswered_.emplace(number, &answer);
  wire::ToWorker message;
  *message.mutable_request() = Delivered(*self->state().server, std::move(query), std::to_string(number));
  const size_t bytes = message.request().body().size();
  self->Push(std::move(message), bytes);
  auto reply = co_await answer.Wait(deadline);
  self->unanswered_.erase(number);
  // A query whose caller has left in the meantime need not be sent.
  if (!reply) {
    self->outbox().Withdraw([name = std::to_string(number)](const wire::ToWorker& unsent) {
      return unsent.request().replychannel() == name;
    });
  }
  co_return AnswerOf(std::move(reply));
}

}  // namespace llm_router
