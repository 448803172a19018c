#include "router/gateway/kubemq_grpc_stored.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "router/gateway/stored_door.h"

namespace llm_router {
namespace {

grpc::Status NoStored() {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, std::string(kNoStoredEvents));
}

}  // namespace

Awaitable<void> StoredSubscriberStream::Subscribe(std::shared_ptr<SubscriberStream> held) {
  const auto self = std::static_pointer_cast<StoredSubscriberStream>(held);
  StoredEvents* const stored = state().server->broker().stored_events();
  if (stored == nullptr) co_return End(NoStored());
  auto subscription = co_await stored->Subscribe(StoredSubscribeOf(subscribe_, UnixNanos()),
                                                 [self](const StoredEvent& event) { self->Offer(event); });
  if (ended()) co_return;
  if (!subscription.ok()) {
    End(Refusal(MessageOf(subscription.status())));
    co_return;
  }
  subscription_ = *std::move(subscription);
  state().server->channels().Subscribed(ChannelType::kEventsStore, subscribe_.channel());
  Confirm();
}

void StoredSubscriberStream::LetGo() {
  if (!subscription_) return;
  state().server->channels().Unsubscribed(ChannelType::kEventsStore, subscribe_.channel());
  subscription_.reset();
}

void StoredSubscriberStream::Offer(const StoredEvent& event) {
  if (ended()) return;
  ++state().stats.events_delivered;
  state().server->channels().Delivered(ChannelType::kEventsStore, event.message.channel,
                                       event.message.body.size());
  kubemq::EventReceive visible = StoredEventFor(*caller, event);
  const size_t bytes = visible.body().size();
  handed_.push_back(event.sequence);
  Push(std::move(visible), bytes);
}

void StoredSubscriberStream::OnWriteDone(bool ok) {
  // Before the base may let go of this stream.
  if (ok) Post([](SubscriberStream& self) { static_cast<StoredSubscriberStream&>(self).Written(); });
  SubscriberStream::OnWriteDone(ok);
}

void StoredSubscriberStream::Written() {
  if (handed_.empty()) return;
  const uint64_t sequence = handed_.front();
  handed_.pop_front();
  if (subscription_) subscription_->Acknowledge(sequence);
}

Awaitable<void> SendStored(std::shared_ptr<DoorState> state, grpc::ServerUnaryReactor* reactor,
                           const kubemq::Event* event, kubemq::Result* result, CallerPtr caller) {
  if (state->server->broker().stored_events() == nullptr) {
    reactor->Finish(NoStored());
    co_return;
  }
  kubemq::Event named = *event;
  if (named.eventid().empty()) named.set_eventid(NewId());
  result->set_eventid(named.eventid());
  result->set_error(co_await PublishStored(state->server, std::move(named), std::move(caller), state->stats));
  result->set_sent(result->error().empty());
  reactor->Finish(grpc::Status::OK);
}

}  // namespace llm_router
