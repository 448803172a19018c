#include "router/gateway/kubemq_grpc_events.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "router/gateway/kubemq_grpc_admit.h"
#include "router/gateway/stored_door.h"

namespace llm_router {
namespace {

constexpr size_t kMaxQueued = 1'024;
constexpr size_t kMaxQueuedBytes = 64 * 1024 * 1024;
constexpr size_t kMaxResults = 256;
constexpr auto kTellAgainAfter = std::chrono::seconds(10);

}  // namespace

Awaitable<void> EventSubscriberStream::Subscribe(std::shared_ptr<SubscriberStream> held) {
  const auto self = std::static_pointer_cast<EventSubscriberStream>(held);
  auto subscription = co_await state().server->broker().Subscribe(
      subscribe_.channel(), subscribe_.group(), [self](const Message& event) { self->Offer(event); });
  if (ended()) co_return;
  if (!subscription.ok()) {
    End(Refusal(MessageOf(subscription.status())));
    co_return;
  }
  subscription_ = *std::move(subscription);
  state().server->channels().Subscribed(ChannelType::kEvents, subscribe_.channel());
  Confirm();
}

void EventSubscriberStream::LetGo() {
  if (!subscription_) return;
  state().server->channels().Unsubscribed(ChannelType::kEvents, subscribe_.channel());
  subscription_.reset();
}

void EventSubscriberStream::Offer(const Message& event) {
  if (ended()) return;
  if (outbox().size() >= kMaxQueued || outbox().bytes() >= kMaxQueuedBytes) return Drop();
  ++state().stats.events_delivered;
  state().server->channels().Delivered(ChannelType::kEvents, event.channel, event.body.size());
  kubemq::EventReceive visible = EventFor(*caller, event);
  const size_t bytes = visible.body().size();
  Push(std::move(visible), bytes);
}

void EventSubscriberStream::Drop() {
  ++dropped_;
  ++state().stats.events_dropped;
  if (Now() - told_ < kTellAgainAfter) return;
  told_ = Now();
  log::Warning("a subscriber to {} is too slow: {} events dropped so far", subscribe_.channel(), dropped_);
}

void EventSenderStream::Accept() {
  self_ = shared_from_this();
  state_->loop.Post([self = self_] { self->Join(); });
}

void EventSenderStream::Join() {
  if (ended_) return;
  if (state_->server->refusing()) return End(NotReady());
  if (!state_->Add(shared_from_this())) {
    return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many streams: use fewer"));
  }
  StartSendInitialMetadata();
  reading_ = true;
  StartRead(&event_);
}

void EventSenderStream::OnReadDone(bool ok) {
  state_->loop.Post([self = self_, ok] { self->Received(ok); });
}

void EventSenderStream::OnWriteDone(bool ok) {
  state_->loop.Post([self = self_, ok] {
    self->writing_ = false;
    if (!ok) self->End(grpc::Status::CANCELLED);
    self->WriteNext();
    self->MaybeFinish();
  });
}

void EventSenderStream::OnCancel() {
  state_->loop.Post([self = self_] { self->End(grpc::Status::CANCELLED); });
}

void EventSenderStream::Received(bool ok) {
  reading_ = false;
  if (!ok) half_closed_ = true;
  if (ok && !ended_) Publish();
  WriteNext();
  MaybeFinish();
}

void EventSenderStream::Publish() {
  if (event_.eventid().empty()) event_.set_eventid(NewId());
  std::string text(kubemq_check::Event(event_));
  const absl::Status allowed = text.empty() ? CheckNoted(*state_, *caller, event_, peer) : absl::OkStatus();
  if (!allowed.ok()) text = DenialText(allowed);
  if (text.empty() && event_.store()) {
    ++storing_;
    state_->server->tasks().Spawn(Store(shared_from_this(), event_));
    return;
  }
  if (text.empty()) text = state_->server->Publish(event_, *caller, state_->stats);
  if (!text.empty()) Tell(event_.eventid(), text);
}

// Many at once: they reach the engine in the order they came, and its disk together.
Awaitable<void> EventSenderStream::Store(std::shared_ptr<EventSenderStream> self, kubemq::Event event) {
  const std::string id = event.eventid();
  const std::string error =
      co_await PublishStored(self->state_->server, std::move(event), self->caller, self->state_->stats);
  --self->storing_;
  if (!self->ended_) self->Tell(id, error);
  self->WriteNext();
  self->MaybeFinish();
}

void EventSenderStream::Tell(const std::string& event, std::string_view error) {
  kubemq::Result result;
  result.set_eventid(event);
  result.set_sent(error.empty());
  result.set_error(std::string(error));
  results_.push_back(std::move(result));
}

// Reads on only while the sender takes its results, so that neither side can make the other pile up.
void EventSenderStream::WriteNext() {
  if (ended_) return;
  if (!writing_ && !results_.empty()) {
    result_ = std::move(results_.front());
    results_.pop_front();
    writing_ = true;
    StartWrite(&result_);
  }
  if (!reading_ && !half_closed_ && results_.size() + storing_ < kMaxResults) {
    reading_ = true;
    StartRead(&event_);
  }
}

void EventSenderStream::End(const grpc::Status& status) {
  if (std::exchange(ended_, true)) return;
  end_ = status;
  results_.clear();
  state_->Remove(this);
  MaybeFinish();
}

void EventSenderStream::MaybeFinish() {
  if (!ended_ && half_closed_ && results_.empty() && storing_ == 0 && !writing_) {
    // The sender closed its half and has all its results: this stream, no subscription, ends with OK.
    ended_ = true;
    end_ = grpc::Status::OK;
    state_->Remove(this);
  }
  if (ended_ && !writing_ && !std::exchange(finished_, true)) Finish(end_);
}

}  // namespace llm_router
