// EventTopics: the name space of events: who is subscribed, and what is published and not yet delivered.
//
// Events are delivered on a later turn of the loop, in the order they were published, to who was subscribed
// at that time and still is: handlers may publish, subscribe and unsubscribe. Loop thread; `co_await Stop()`
// before destruction.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/embedded/query_state.h"
#include "broker_adapters/embedded/subscriber_index.h"

namespace llm_router {

class EventTopics;

// Shared by its Subscription and by a delivery under way, in which that may be destroyed.
struct EventSubscriber : std::enable_shared_from_this<EventSubscriber> {
  EventSubscriber(Pattern subscribed, std::string subscribed_group, EventHandler handle, uint64_t number)
      : pattern(std::move(subscribed)),
        group(std::move(subscribed_group)),
        handler(std::move(handle)),
        since(number) {}

  const Pattern pattern;
  const std::string group;
  const EventHandler handler;
  const uint64_t since;           // events numbered above this are for it
  EventTopics* topics = nullptr;  // null once it left
  uint64_t last_served = 0;       // members of a group take turns
  Hook of_topics;
};

class EventTopics {
 public:
  EventTopics(Executor executor, const EmbeddedOptions& options);

  // Broker::Publish and Subscribe. A burst that is not delivered fast enough is refused: fault overloaded.
  [[nodiscard]] absl::Status Publish(Message event);
  absl::StatusOr<SubscriptionPtr> Subscribe(std::string pattern, std::string group, EventHandler handler);
  // Delivers what was published, then ends every subscription.
  Awaitable<void> Stop();

  // For a Subscription: its handler is not called again.
  void Leave(EventSubscriber& subscriber);

  size_t undelivered() const { return events_.size(); }

 private:
  struct Numbered {
    Numbered(uint64_t order, Message published) : number(order), message(std::move(published)) {}
    uint64_t number;
    Message message;
  };
  using Receivers = std::vector<std::shared_ptr<EventSubscriber>>;

  void DeliverLater();
  void Deliver();
  Receivers ReceiversOf(const Numbered& event);

  const Executor executor_;
  const EmbeddedOptions options_;
  SubscriberIndex<EventSubscriber> index_;
  LinkedList<EventSubscriber, &EventSubscriber::of_topics> subscribers_;
  std::deque<Numbered> events_;
  size_t bytes_ = 0;  // bodies of `events_`
  uint64_t sequence_ = 0;
  bool delivering_ = false;  // now, or on a later turn
  bool stopping_ = false;
  Timer idle_;  // cancelled when a delivery ended that Stop waits for
};

}  // namespace llm_router
