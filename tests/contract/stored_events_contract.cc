// The contract on stored events: numbered, kept, replayed from any place. An engine that has none says so by
// null, and passes.
#include <algorithm>
#include <set>

#include "broker_adapters/base/status.h"
#include "broker_adapters/stored_events.h"
#include "proto/fault.h"
#include "tests/contract/engine.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

using From = StoredStart::From;
using Texts = std::vector<std::string>;

// One case on an engine that has stored events.
void OnStored(std::function<Awaitable<void>(Engine&, StoredEvents&)> body) {
  OnEngine([body](Engine& engine) -> Awaitable<void> {
    Broker& broker = *co_await engine.Connect();
    if (StoredEvents* const stored = broker.stored_events()) co_await body(engine, *stored);
  });
}

// Shared by the case and by its handler.
struct Reader {
  explicit Reader(const Engine& engine) : changed(engine.changed()) {}

  Texts bodies() const {
    Texts bodies;
    for (const StoredEvent& event : got) bodies.push_back(event.message.body);
    return bodies;
  }

  bool acknowledges = true;
  std::vector<StoredEvent> got;
  StoredSubscriptionPtr subscription;
  const std::shared_ptr<Signal> changed;
};
using ReaderPtr = std::shared_ptr<Reader>;

StoredSubscribe To(std::string channel, From from, std::string client = "client", std::string group = "") {
  StoredSubscribe options;
  options.channel = std::move(channel);
  options.group = std::move(group);
  options.client_id = std::move(client);
  options.start.from = from;
  return options;
}

Awaitable<absl::Status> TrySubscribe(StoredEvents& stored, StoredSubscribe options, ReaderPtr of) {
  auto subscription =
      co_await stored.Subscribe(std::move(options), [weak = std::weak_ptr(of)](const StoredEvent& event) {
        const auto reader = weak.lock();
        if (!reader) return;
        reader->got.push_back(event);
        if (reader->acknowledges && reader->subscription) reader->subscription->Acknowledge(event.sequence);
        reader->changed->Notify();
      });
  if (!subscription.ok()) co_return subscription.status();
  of->subscription = *std::move(subscription);
  co_return absl::OkStatus();
}

Awaitable<ReaderPtr> Read(Engine& engine, StoredEvents& stored, StoredSubscribe options,
                          bool acknowledges = true) {
  const auto reader = std::make_shared<Reader>(engine);
  reader->acknowledges = acknowledges;
  const absl::Status status = co_await TrySubscribe(stored, std::move(options), reader);
  if (!status.ok()) FAIL(status.ToString());
  co_return reader;
}

Awaitable<void> Publish(StoredEvents& stored, std::string channel, Texts bodies) {
  for (std::string& body : bodies) {
    Message event(channel, std::move(body));
    const auto sequence = co_await stored.Publish(std::move(event));
    if (!sequence.ok()) FAIL(sequence.status().ToString());
  }
}

Awaitable<void> Expect(Engine& engine, ReaderPtr reader, Texts bodies) {
  (void)co_await engine.Until([&] { return reader->got.size() >= bodies.size(); });
  CHECK(reader->bodies() == bodies);
}

TEST_CASE("a stored event comes back with every field, its number and the time it was stored") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    Message event(engine.Name(), std::string("a\0b", 3));
    event.id = "id-1";
    event.metadata = "metadata \xc3\xa9";
    event.client_id = "sender";
    event.tags = {{"k", "v"}, {"empty", ""}};
    const int64_t before = UnixNanos();
    const auto sequence = co_await stored.Publish(event);
    REQUIRE(sequence.ok());
    CHECK(*sequence == 1);
    const auto reader = co_await Read(engine, stored, To(engine.Name(), From::kFirst));
    REQUIRE(co_await engine.Until([&] { return !reader->got.empty(); }));
    const StoredEvent& got = reader->got[0];
    CHECK(got.sequence == 1);
    CHECK(got.stored_at >= before);
    CHECK(got.message.id == "id-1");
    CHECK(got.message.channel == engine.Name());
    CHECK(got.message.body == event.body);
    CHECK(got.message.metadata == event.metadata);
    CHECK(got.message.client_id == "sender");
    CHECK(got.message.tags == event.tags);
  });
}

TEST_CASE("a subscription begins where it asked to, and goes on with what is published then") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    co_await Publish(stored, channel, {"1", "2", "3"});
    const auto fresh = co_await Read(engine, stored, To(channel, From::kNew, "new"));
    const auto first = co_await Read(engine, stored, To(channel, From::kFirst, "first"));
    const auto last = co_await Read(engine, stored, To(channel, From::kLast, "last"));
    auto second = To(channel, From::kSequence, "sequence");
    second.start.sequence = 2;
    const auto sequence = co_await Read(engine, stored, second);
    auto ahead = To(channel, From::kSequence, "ahead");
    ahead.start.sequence = 5;
    const auto later = co_await Read(engine, stored, ahead);
    REQUIRE(co_await engine.Until([&] { return first->got.size() == 3; }));
    auto at = To(channel, From::kTime, "time");
    at.start.time = first->got[2].stored_at;
    const auto time = co_await Read(engine, stored, at);
    co_await Publish(stored, channel, {"4", "5"});
    co_await Expect(engine, fresh, {"4", "5"});
    co_await Expect(engine, first, {"1", "2", "3", "4", "5"});
    co_await Expect(engine, last, {"3", "4", "5"});
    co_await Expect(engine, sequence, {"2", "3", "4", "5"});
    co_await Expect(engine, time, {"3", "4", "5"});
    co_await Expect(engine, later, {"5"});
  });
}

TEST_CASE("a client that comes back goes on after what it acknowledged, whatever it asks for") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    auto reader = co_await Read(engine, stored, To(channel, From::kNew));
    co_await Publish(stored, channel, {"1", "2", "3"});
    co_await Expect(engine, reader, {"1", "2", "3"});
    reader->subscription.reset();
    co_await Publish(stored, channel, {"4", "5"});
    reader = co_await Read(engine, stored, To(channel, From::kFirst), false);
    co_await Expect(engine, reader, {"4", "5"});
    reader->subscription->Acknowledge(4);
    reader->subscription.reset();
    reader = co_await Read(engine, stored, To(channel, From::kNew));
    co_await Expect(engine, reader, {"5"});
    const auto other = co_await Read(engine, stored, To(channel, From::kFirst, "other client"));
    co_await Expect(engine, other, {"1", "2", "3", "4", "5"});
  });
}

TEST_CASE("no more is given than may be unacknowledged, and the rest as that is acknowledged") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    Texts all;
    for (int i = 0; i < 20; ++i) all.push_back(std::to_string(i));
    co_await Publish(stored, channel, all);
    auto options = To(channel, From::kFirst);
    options.capacity = 3;
    const auto reader = co_await Read(engine, stored, options, false);
    for (uint64_t acknowledged = 0; acknowledged < all.size(); ++acknowledged) {
      const size_t given = std::min<size_t>(acknowledged + 3, all.size());
      REQUIRE(co_await engine.Until([&] { return reader->got.size() >= given; }));
      CHECK(reader->got.size() == given);
      reader->subscription->Acknowledge(acknowledged + 1);
    }
    CHECK(reader->bodies() == all);
  });
}

TEST_CASE("one client has one live subscription to a channel, but others to others and by groups") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const auto first = co_await Read(engine, stored, To(engine.Name(), From::kNew));
    const auto second = std::make_shared<Reader>(engine);
    const absl::Status refused = co_await TrySubscribe(stored, To(engine.Name(), From::kNew), second);
    CHECK(FaultOf(refused) == Fault::kInvalidRequest);
    CHECK_THAT(std::string(MessageOf(refused)), Catch::Contains("clientID already registered"));
    CHECK((co_await TrySubscribe(stored, To(engine.Name("-b"), From::kNew), second)).ok());
    const auto third = std::make_shared<Reader>(engine);
    CHECK((co_await TrySubscribe(stored, To(engine.Name(), From::kNew, "client", "group"), third)).ok());
    first->subscription.reset();
    const auto fourth = std::make_shared<Reader>(engine);
    CHECK((co_await TrySubscribe(stored, To(engine.Name(), From::kNew), fourth)).ok());
  });
}

TEST_CASE("members of a group share its events, and take over what one left unacknowledged") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    auto one = co_await Read(engine, stored, To(channel, From::kFirst, "a", "g"), false);
    const auto two = co_await Read(engine, stored, To(channel, From::kFirst, "b", "g"), false);
    Texts all;
    for (int i = 0; i < 10; ++i) all.push_back(std::to_string(i));
    co_await Publish(stored, channel, all);
    REQUIRE(co_await engine.Until([&] { return one->got.size() + two->got.size() == all.size(); }));
    CHECK_FALSE(one->got.empty());
    CHECK_FALSE(two->got.empty());
    two->acknowledges = true;
    one->subscription.reset();
    REQUIRE(co_await engine.Until([&] { return two->got.size() == all.size(); }));
    std::multiset<std::string> got;
    for (const std::string& body : two->bodies()) got.insert(body);
    CHECK(got == std::multiset<std::string>(all.begin(), all.end()));
    for (const StoredEvent& event : two->got) two->subscription->Acknowledge(event.sequence);
    two->subscription.reset();
    co_await Publish(stored, channel, {"next"});
    const auto three = co_await Read(engine, stored, To(channel, From::kFirst, "c", "g"));
    co_await Expect(engine, three, {"next"});
  });
}

TEST_CASE("five thousand stored events come each once and in order, to who is behind and who is not") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    const size_t count = 5'000;
    const auto live = co_await Read(engine, stored, To(channel, From::kNew, "live"));
    for (size_t i = 0; i < count; ++i) {
      engine.tasks().Spawn(Publish(stored, channel, Texts(1, std::to_string(i))));
    }
    REQUIRE(co_await engine.Until([&] { return live->got.size() == count; }));
    const auto behind = co_await Read(engine, stored, To(channel, From::kFirst, "behind"));
    REQUIRE(co_await engine.Until([&] { return behind->got.size() == count; }));
    for (size_t i = 0; i < count; ++i) {
      REQUIRE(live->got[i].message.body == std::to_string(i));
      REQUIRE(behind->got[i].message.body == std::to_string(i));
      REQUIRE(behind->got[i].sequence == i + 1);
    }
  });
}

TEST_CASE("a purge removes events and keeps numbers and places; a deletion removes all of them") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const std::string channel = engine.Name();
    const auto totals = [&] {
      for (const StoredTotals& row : stored.Channels()) {
        if (row.name == channel) return row;
      }
      return StoredTotals();
    };
    co_await Publish(stored, channel, {"1", "2"});
    CHECK(totals().events == 2);
    CHECK(totals().first_sequence == 1);
    CHECK(totals().bytes > 0);
    const auto purged = co_await stored.Purge(channel);
    REQUIRE(purged.ok());
    CHECK(*purged == 2);
    CHECK(totals().events == 0);
    CHECK(totals().last_sequence == 2);
    const auto reader = co_await Read(engine, stored, To(channel, From::kFirst));
    CHECK(totals().subscribers == 1);
    co_await Publish(stored, channel, {"3"});
    co_await Expect(engine, reader, {"3"});
    CHECK(reader->got[0].sequence == 3);
    CHECK((co_await stored.Delete(channel)).ok());
    CHECK(totals().last_sequence == 3);
    reader->subscription.reset();
    CHECK((co_await stored.Delete(channel)).ok());
    CHECK(totals().name.empty());
    co_await Publish(stored, channel, {"anew"});
    CHECK(totals().last_sequence == 1);
  });
}

TEST_CASE("stored events that can't be are refused") {
  OnStored([](Engine& engine, StoredEvents& stored) -> Awaitable<void> {
    const auto reader = std::make_shared<Reader>(engine);
    for (const char* name : {"", "two words", "wild.*", "wild.>", "ends."}) {
      CHECK(FaultOf((co_await stored.Publish(Message(name, "x"))).status()) == Fault::kInvalidRequest);
      CHECK(FaultOf(co_await TrySubscribe(stored, To(name, From::kNew), reader)) == Fault::kInvalidRequest);
    }
    CHECK(FaultOf(co_await TrySubscribe(stored, To(engine.Name(), From::kNew, ""), reader)) ==
          Fault::kInvalidRequest);
    Broker& broker = *co_await engine.Connect();
    const std::string large(broker.caps().max_body + 1, 'x');
    CHECK(FaultOf((co_await stored.Publish(Message(engine.Name(), large))).status()) == Fault::kTooLarge);
  });
}

}  // namespace
}  // namespace llm_router::test
