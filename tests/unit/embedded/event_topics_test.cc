#include "broker_adapters/embedded/event_topics.h"

#include <vector>

#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

Awaitable<void> Delivered(const EventTopics& topics) {
  while (topics.undelivered() > 0) co_await boost::asio::post(kUseAwaitable);
}

TEST_CASE("an event is delivered after Publish returned, in order") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    std::vector<std::string> seen;
    const auto subscribed =
        topics.Subscribe("e", "", [&seen](const Message& event) { seen.push_back(event.body); });
    std::vector<std::string> sent;
    for (int i = 0; i < 1000; ++i) {
      sent.push_back(std::to_string(i));
      CHECK(topics.Publish(Message("e", sent.back())).ok());
    }
    CHECK(seen.empty());
    co_await Delivered(topics);
    CHECK(seen == sent);
    co_await topics.Stop();
  });
}

TEST_CASE("a handler may publish, subscribe and end subscriptions, its own included") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    std::vector<std::string> seen;
    absl::StatusOr<SubscriptionPtr> own, other, late;
    own = topics.Subscribe("e", "", [&](const Message& event) {
      seen.push_back("own " + event.body);
      (void)topics.Publish(Message("e", "from the handler"));
      late = topics.Subscribe("e", "", [&](const Message& next) { seen.push_back("late " + next.body); });
      other->reset();
      own->reset();
    });
    other = topics.Subscribe("e", "", [&](const Message&) { seen.emplace_back("other"); });
    CHECK(topics.Publish(Message("e", "first")).ok());
    co_await Delivered(topics);
    // The one that subscribed during the delivery came after both events had been published.
    CHECK(seen == std::vector<std::string>{"own first"});
    CHECK(topics.Publish(Message("e", "second")).ok());
    co_await Delivered(topics);
    CHECK(seen.back() == "late second");
    co_await topics.Stop();
  });
}

TEST_CASE("handlers that answer each other starve nobody") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    int turns = 0;
    const auto echo = topics.Subscribe("e", "", [&](const Message& event) {
      ++turns;
      (void)topics.Publish(event);
    });
    CHECK(topics.Publish(Message("e", "for ever")).ok());
    while (turns < 100) co_await boost::asio::post(kUseAwaitable);
    co_await topics.Stop();
  });
}

TEST_CASE("members of a group take turns, and who ended gets nothing more") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    int first = 0, second = 0;
    auto one = topics.Subscribe("e", "g", [&](const Message&) { ++first; });
    const auto two = topics.Subscribe("*", "g", [&](const Message&) { ++second; });
    for (int i = 0; i < 10; ++i) CHECK(topics.Publish(Message("e", "")).ok());
    co_await Delivered(topics);
    CHECK(first == 5);
    CHECK(second == 5);
    CHECK(topics.Publish(Message("e", "")).ok());
    one->reset();
    co_await Delivered(topics);
    CHECK(first == 5);
    CHECK(second == 6);
    co_await topics.Stop();
  });
}

TEST_CASE("a burst beyond the limits is refused, and taken again once it was delivered") {
  Run([](Loop& loop) -> Awaitable<void> {
    EmbeddedOptions options;
    options.max_waiting_events = 2;
    EventTopics topics(loop.executor(), options);
    CHECK(topics.Publish(Message("e", "nobody is there")).ok());
    CHECK(topics.undelivered() == 0);
    const auto subscribed = topics.Subscribe("e", "", [](const Message&) {});
    CHECK(topics.Publish(Message("e", "")).ok());
    CHECK(topics.Publish(Message("e", "")).ok());
    CHECK(FaultOf(topics.Publish(Message("e", ""))) == Fault::kOverloaded);
    co_await Delivered(topics);
    CHECK(topics.Publish(Message("e", "")).ok());
    co_await topics.Stop();
  });
}

TEST_CASE("events that can't be sent are refused at once, whether anybody listens or not") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    for (const char* bad : {"", "two words", "a.*", "a."}) {
      INFO(bad);
      CHECK(FaultOf(topics.Publish(Message(bad, "x"))) == Fault::kInvalidRequest);
    }
    co_await topics.Stop();
  });
}

TEST_CASE("an exception of one handler does not keep the event from the others") {
  Run([](Loop& loop) -> Awaitable<void> {
    EventTopics topics(loop.executor(), EmbeddedOptions());
    int seen = 0;
    const auto bad =
        topics.Subscribe("e", "", [](const Message&) { throw std::runtime_error("on purpose"); });
    const auto good = topics.Subscribe("e", "", [&](const Message&) { ++seen; });
    CHECK(topics.Publish(Message("e", "")).ok());
    CHECK(topics.Publish(Message("e", "")).ok());
    co_await Delivered(topics);
    CHECK(seen == 2);
    co_await topics.Stop();
  });
}

TEST_CASE("Stop delivers what was published, then refuses; subscriptions may end later") {
  Run([](Loop& loop) -> Awaitable<void> {
    auto topics = std::make_unique<EventTopics>(loop.executor(), EmbeddedOptions());
    int seen = 0;
    auto subscribed = topics->Subscribe("e", "", [&](const Message&) { ++seen; });
    CHECK(topics->Publish(Message("e", "the last one")).ok());
    co_await topics->Stop();
    CHECK(seen == 1);
    CHECK(FaultOf(topics->Publish(Message("e", ""))) == Fault::kShuttingDown);
    topics.reset();
    subscribed->reset();
  });
}

}  // namespace
}  // namespace llm_router
