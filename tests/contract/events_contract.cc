// The contract on events.
#include "proto/fault.h"
#include "tests/contract/worker.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

TEST_CASE("an event reaches every subscriber with every field") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Listener>(engine);
    const auto two = std::make_shared<Listener>(engine);
    const auto first = co_await Listen(here, engine.Name(), "", one);
    const auto second = co_await Listen(there, engine.Name(), "", two);
    Message event(engine.Name(), std::string("\0\xff body", 7));
    event.id = "event-1";
    event.metadata = "metadata";
    event.tags = {{"query", "q"}, {"empty", ""}};
    CHECK(publisher.Publish(event).ok());
    for (const auto& listener : {one, two}) {
      REQUIRE(co_await engine.Until([&] { return listener->got.size() >= 1; }));
      const Message& got = listener->got.front();
      CHECK(got.id == event.id);
      CHECK(got.channel == event.channel);
      CHECK(got.body == event.body);
      CHECK(got.metadata == event.metadata);
      CHECK(got.tags == event.tags);
    }
  });
}

TEST_CASE("events of one publisher arrive in their order") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto listener = std::make_shared<Listener>(engine);
    const auto subscribed = co_await Listen(there, engine.Name(), "", listener);
    for (int i = 0; i < 500; ++i) CHECK(publisher.Publish(Message(engine.Name(), std::to_string(i))).ok());
    REQUIRE(co_await engine.Until([&] { return listener->got.size() >= 500; }));
    for (size_t i = 0; i < 500; ++i) CHECK(listener->got[i].body == std::to_string(i));
  });
}

TEST_CASE("each event reaches one member of a group, and everybody outside it") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Listener>(engine);
    const auto two = std::make_shared<Listener>(engine);
    const auto all = std::make_shared<Listener>(engine);
    const auto first = co_await Listen(here, engine.Name(), "g", one);
    const auto second = co_await Listen(there, engine.Name(), "g", two);
    const auto third = co_await Listen(there, engine.Name(), "", all);
    for (int i = 0; i < 50; ++i) CHECK(publisher.Publish(Message(engine.Name(), std::to_string(i))).ok());
    const auto total = [&] { return one->got.size() + two->got.size(); };
    REQUIRE(co_await engine.Until([&] { return all->got.size() >= 50; }));
    REQUIRE(co_await engine.Until([&] { return total() >= 50; }));
    // What was delivered twice would have come before this one.
    CHECK(publisher.Publish(Message(engine.Name(), "last")).ok());
    REQUIRE(co_await engine.Until([&] { return all->got.size() >= 51 && total() >= 51; }));
    CHECK(all->got.size() == 51);
    CHECK(total() == 51);
    CHECK(one->got.size() > 0);
    CHECK(two->got.size() > 0);
  });
}

TEST_CASE("patterns of events: a star is one token, a last > one or more") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto star = std::make_shared<Listener>(engine);
    const auto rest = std::make_shared<Listener>(engine);
    const auto first = co_await Listen(there, engine.Name(".*"), "", star);
    const auto second = co_await Listen(there, engine.Name(".>"), "", rest);
    for (const char* suffix : {"", ".x", ".x.y", ".z"}) {
      CHECK(publisher.Publish(Message(engine.Name(suffix), *suffix ? suffix : "bare")).ok());
    }
    REQUIRE(co_await engine.Until([&] { return star->got.size() >= 2; }));
    REQUIRE(co_await engine.Until([&] { return rest->got.size() >= 3; }));
    CHECK(star->got[0].body == ".x");
    CHECK(star->got[1].body == ".z");
    CHECK(rest->got[0].channel == engine.Name(".x"));
    CHECK(rest->got[1].body == ".x.y");
    CHECK(rest->got[2].body == ".z");
  });
}

TEST_CASE("events and queries of one channel are apart") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto listener = std::make_shared<Listener>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    const auto subscribed = co_await Listen(there, engine.Name(), "", listener);
    CHECK(caller.Publish(Message(engine.Name(), "event")).ok());
    CHECK((co_await caller.Request(Ask(engine.Name(), "query"))).ok());
    REQUIRE(co_await engine.Until([&] { return listener->got.size() >= 1; }));
    CHECK(listener->got.front().body == "event");
    CHECK(worker->started() == 1);
  });
}

TEST_CASE("who unsubscribed gets no more events") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto gone = std::make_shared<Listener>(engine);
    const auto stays = std::make_shared<Listener>(engine);
    auto leaving = co_await Listen(there, engine.Name(), "", gone);
    const auto subscribed = co_await Listen(there, engine.Name(), "", stays);
    CHECK(publisher.Publish(Message(engine.Name(), "first")).ok());
    REQUIRE(co_await engine.Until([&] { return gone->got.size() >= 1; }));
    leaving.reset();
    CHECK(publisher.Publish(Message(engine.Name(), "second")).ok());
    REQUIRE(co_await engine.Until([&] { return stays->got.size() >= 2; }));
    CHECK(gone->got.size() == 1);
  });
}

TEST_CASE("an event to nobody is no error; one that is too large is") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    CHECK(publisher.Publish(Message(engine.Name(), "to nobody")).ok());
    const std::string over(publisher.caps().max_body + 1, 'x');
    CHECK(FaultOf(publisher.Publish(Message(engine.Name(), over))) == Fault::kTooLarge);
  });
}

TEST_CASE("an event on a channel that can't be reaches nobody, and later ones go on") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& publisher = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto listener = std::make_shared<Listener>(engine);
    const auto subscribed = co_await Listen(there, engine.Name(".>"), "", listener);
    // Publish never waits, so an engine elsewhere can't always say it to the publisher.
    for (const char* bad : {".two words", ".a.*", ".a.", ".>"}) {
      (void)publisher.Publish(Message(engine.Name(bad), "bad"));
    }
    CHECK(publisher.Publish(Message(engine.Name(".good"), "good")).ok());
    REQUIRE(co_await engine.Until([&] { return !listener->got.empty(); }));
    CHECK(listener->got.front().body == "good");
  });
}

}  // namespace
}  // namespace llm_router::test
