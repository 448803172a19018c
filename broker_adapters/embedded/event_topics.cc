#include "broker_adapters/embedded/event_topics.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/limits.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kBatch = 256;

class EventSubscription : public Subscription {
 public:
  explicit EventSubscription(std::shared_ptr<EventSubscriber> subscriber)
      : subscriber_(std::move(subscriber)) {}
  ~EventSubscription() override { Leave(); }

  // Handlers of events run to their end at once, so there is none to wait for.
  Awaitable<void> Drain() override {
    Leave();
    co_return;
  }

 private:
  void Leave() {
    if (subscriber_->topics != nullptr) subscriber_->topics->Leave(*subscriber_);
  }

  const std::shared_ptr<EventSubscriber> subscriber_;
};

absl::Status Stopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: no more events are taken");
}

// An exception of one handler is not the other subscribers' trouble.
void Call(const EventSubscriber& subscriber, const Message& event) {
  try {
    subscriber.handler(event);
  } catch (const std::exception& error) {
    log::Error("an event handler on {} failed: {}", subscriber.pattern.text(), error.what());
  }
}

}  // namespace

EventTopics::EventTopics(Executor executor, const EmbeddedOptions& options)
    : executor_(executor), options_(options), idle_(executor, TimePoint::max()) {}

absl::Status EventTopics::Publish(Message event) {
  if (stopping_) return Stopping();
  RETURN_IF_ERROR(CheckChannel(event.channel));
  RETURN_IF_ERROR(CheckBody("event", event.body.size(), options_.max_body));
  if (index_.empty()) return absl::OkStatus();
  if (events_.size() >= options_.max_waiting_events ||
      bytes_ + event.body.size() > options_.max_waiting_bytes) {
    return MakeFault(Fault::kOverloaded,
                     "events are published faster than they can be delivered: publish it again later");
  }
  bytes_ += event.body.size();
  events_.emplace_back(++sequence_, std::move(event));
  if (!std::exchange(delivering_, true)) DeliverLater();
  return absl::OkStatus();
}

absl::StatusOr<SubscriptionPtr> EventTopics::Subscribe(std::string pattern, std::string group,
                                                       EventHandler handler) {
  if (stopping_) return Stopping();
  RETURN_IF_ERROR(CheckGroup(group));
  ASSIGN_OR_RETURN(auto parsed, Pattern::Parse(std::move(pattern)));
  auto subscriber =
      std::make_shared<EventSubscriber>(std::move(parsed), std::move(group), std::move(handler), sequence_);
  subscriber->topics = this;
  subscribers_.push_back(*subscriber);
  index_.Add(*subscriber);
  return std::make_unique<EventSubscription>(std::move(subscriber));
}

void EventTopics::Leave(EventSubscriber& subscriber) {
  subscriber.topics = nullptr;
  subscriber.of_topics.unlink();
  index_.Remove(subscriber);
}

void EventTopics::DeliverLater() {
  boost::asio::post(executor_, [this] { Deliver(); });
}

// Delivers at most a batch of what was there when it began; the rest, and what handlers publish meanwhile, is
// for later turns of the loop, so that neither a burst nor handlers that answer each other starve the rest.
void EventTopics::Deliver() {
  for (size_t left = std::min(events_.size(), kBatch); left > 0; --left) {
    const Numbered event = std::move(events_.front());
    events_.pop_front();
    bytes_ -= event.message.body.size();
    for (const auto& receiver : ReceiversOf(event)) {
      if (receiver->topics != nullptr) Call(*receiver, event.message);
    }
  }
  delivering_ = !events_.empty();
  if (delivering_) {
    DeliverLater();
  } else {
    idle_.cancel();
  }
}

EventTopics::Receivers EventTopics::ReceiversOf(const Numbered& event) {
  Receivers receivers;
  index_.ForEachMatch(event.message.channel, [&](EventSubscriber& candidate) {
    if (candidate.since >= event.number) return;
    const auto same = [&](const auto& other) { return other->group == candidate.group; };
    const auto it =
        candidate.group.empty() ? receivers.end() : std::find_if(receivers.begin(), receivers.end(), same);
    if (it == receivers.end()) {
      receivers.push_back(candidate.shared_from_this());
    } else if (candidate.last_served < (*it)->last_served) {
      *it = candidate.shared_from_this();
    }
  });
  for (const auto& receiver : receivers) receiver->last_served = event.number;
  return receivers;
}

Awaitable<void> EventTopics::Stop() {
  stopping_ = true;
  while (delivering_) (void)co_await idle_.async_wait(kUseTuple);
  while (!subscribers_.empty()) Leave(subscribers_.front());
}

}  // namespace llm_router
