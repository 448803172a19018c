// The contract on queues: what is kept, who gets it, and what becomes of it. An engine that keeps none says
// so in its Caps, and passes.
#include <numeric>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/contract/engine.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

constexpr Milliseconds kLong(20'000);

Outgoing Text(std::string body) {
  Outgoing outgoing;
  outgoing.message.body = std::move(body);
  return outgoing;
}

ReceiveOptions Up(size_t max, Milliseconds wait = kLong) {
  ReceiveOptions options;
  options.max = max;
  options.wait = wait;
  return options;
}

Settlement Verdict(Settlement::Verdict verdict, Milliseconds delay = Milliseconds(0)) {
  Settlement settlement;
  settlement.verdict = verdict;
  settlement.delay = delay;
  return settlement;
}
constexpr auto kAck = Settlement::Verdict::kAck;
constexpr auto kNack = Settlement::Verdict::kNack;
constexpr auto kRelease = Settlement::Verdict::kRelease;

// One case on an engine that keeps queues.
void OnQueues(std::function<Awaitable<void>(Engine&, Broker&)> body) {
  OnEngine([body](Engine& engine) -> Awaitable<void> {
    Broker& broker = *co_await engine.Connect();
    if (broker.caps().durability == Durability::kNone) {
      CHECK(FaultOf((co_await broker.Info(engine.Name())).status()) == Fault::kNotSupported);
      co_return;
    }
    co_await body(engine, broker);
  });
}

Awaitable<void> SendAll(Broker& broker, std::string queue, std::vector<std::string> bodies) {
  std::vector<Outgoing> messages;
  for (std::string& body : bodies) messages.push_back(Text(std::move(body)));
  const auto results = co_await broker.Send(std::move(queue), std::move(messages));
  if (!results.ok()) FAIL(results.status().ToString());
  for (const SendResult& result : *results) CHECK(result.status.ok());
}

Awaitable<std::vector<Delivery>> Take(Broker& broker, std::string queue, size_t count,
                                      Milliseconds wait = kLong) {
  std::vector<Delivery> all;
  while (all.size() < count) {
    auto some = co_await broker.Receive(queue, Up(count - all.size(), wait));
    if (!some.ok()) FAIL(some.status().ToString());
    if (some->empty()) break;
    for (Delivery& delivery : *some) all.push_back(std::move(delivery));
  }
  co_return all;
}

Awaitable<absl::Status> SettleAll(Broker& broker, const std::vector<Delivery>& deliveries,
                                  Settlement settlement) {
  std::vector<Receipt> receipts;
  for (const Delivery& delivery : deliveries) receipts.push_back(delivery.receipt);
  co_return co_await broker.Settle(std::move(receipts), settlement);
}

std::vector<std::string> Bodies(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> bodies;
  for (const Delivery& delivery : deliveries) bodies.push_back(delivery.message.body);
  return bodies;
}

using Texts = std::vector<std::string>;

TEST_CASE("a message comes off its queue with every field") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    std::string bytes(256, '\0');
    std::iota(bytes.begin(), bytes.end(), '\0');
    Outgoing outgoing = Text(bytes);
    outgoing.message.id = "id-1";
    outgoing.message.metadata = "metadata \xc3\xa9";
    outgoing.message.client_id = "sender";
    outgoing.message.tags = {{"model", "m"}, {"empty", ""}};
    std::vector<Outgoing> messages;
    messages.push_back(outgoing);
    const int64_t before = UnixNanos();
    const auto sent = co_await broker.Send(engine.Name(), std::move(messages));
    REQUIRE(sent.ok());
    REQUIRE(sent->size() == 1);
    CHECK(sent->front().id == "id-1");
    CHECK(sent->front().sent_at >= before);
    CHECK(sent->front().expires_at == 0);
    CHECK(sent->front().delayed_to == 0);
    const auto got = co_await Take(broker, engine.Name(), 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.id == "id-1");
    CHECK(got[0].message.channel == engine.Name());
    CHECK(got[0].message.body == bytes);
    CHECK(got[0].message.metadata == "metadata \xc3\xa9");
    CHECK(got[0].message.client_id == "sender");
    CHECK(got[0].message.tags == outgoing.message.tags);
    CHECK(got[0].deliveries == 1);
    CHECK(got[0].attributes.sequence == 1);
    CHECK(got[0].attributes.sent_at >= before);
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE("messages come in the order they were sent, each to one receiver") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    Broker& other = *co_await engine.Connect();
    Texts sent;
    for (int i = 0; i < 300; ++i) sent.push_back(std::to_string(i));
    co_await SendAll(broker, engine.Name(), sent);
    Texts got;
    for (int turn = 0; got.size() < sent.size(); ++turn) {
      Broker& receiver = turn % 2 == 0 ? broker : other;
      const auto some = co_await Take(receiver, engine.Name(), 7);
      REQUIRE_FALSE(some.empty());
      for (const Delivery& delivery : some) got.push_back(delivery.message.body);
      CHECK((co_await SettleAll(receiver, some, Verdict(kAck))).ok());
    }
    CHECK(got == sent);
    const auto info = co_await broker.Info(engine.Name());
    REQUIRE(info.ok());
    CHECK(info->waiting.value_or(0) == 0);
    CHECK(info->leased.value_or(0) == 0);
  });
}

Awaitable<void> ReceiveInto(Broker& broker, std::string queue, std::shared_ptr<std::vector<Delivery>> got,
                            std::shared_ptr<Signal> changed) {
  auto some = co_await broker.Receive(std::move(queue), Up(10));
  if (some.ok()) *got = *std::move(some);
  changed->Notify();
}

TEST_CASE("a receive waits for a message, and returns as soon as one is there") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    const auto got = std::make_shared<std::vector<Delivery>>();
    engine.tasks().Spawn(ReceiveInto(broker, engine.Name(), got, engine.changed()));
    (void)co_await broker.Info(engine.Name());
    CHECK(got->empty());
    co_await SendAll(broker, engine.Name(), {"now"});
    REQUIRE(co_await engine.Until([&] { return !got->empty(); }));
    CHECK(Bodies(*got) == Texts{"now"});
    CHECK((co_await SettleAll(broker, *got, Verdict(kAck))).ok());
  });
}

TEST_CASE("an empty queue gives nothing when the wait is over") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    const auto got = co_await broker.Receive(engine.Name(), Up(5, Milliseconds(50)));
    REQUIRE(got.ok());
    CHECK(got->empty());
  });
}

TEST_CASE("what is leased is nobody else's until it is settled") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    co_await SendAll(broker, engine.Name(), {"a", "b"});
    const auto first = co_await Take(broker, engine.Name(), 1);
    const auto second = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(first) == Texts{"a"});
    CHECK(Bodies(second) == Texts{"b"});
    const auto info = co_await broker.Info(engine.Name());
    REQUIRE(info.ok());
    if (info->leased) CHECK(*info->leased == 2);
    // Who can't tell what is leased counts it as waiting.
    if (info->waiting) CHECK(*info->waiting == (info->leased ? 0 : 2));
    CHECK((co_await SettleAll(broker, first, Verdict(kAck))).ok());
    CHECK_FALSE((co_await SettleAll(broker, first, Verdict(kAck))).ok());
    CHECK((co_await SettleAll(broker, second, Verdict(kAck))).ok());
  });
}

TEST_CASE("a nacked message comes again, counted; a released one in its place, not counted") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    co_await SendAll(broker, engine.Name(), {"a", "b"});
    auto got = co_await Take(broker, engine.Name(), 1);
    CHECK((co_await SettleAll(broker, got, Verdict(kRelease))).ok());
    got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"a"});
    CHECK(got[0].deliveries == 1);
    CHECK((co_await SettleAll(broker, got, Verdict(kNack))).ok());
    got = co_await Take(broker, engine.Name(), 2);
    REQUIRE(got.size() == 2);
    const size_t nacked = engine.NackOvertakes() ? 0 : 1;
    CHECK(got[nacked].message.body == "a");
    CHECK(got[nacked].deliveries == 2);
    CHECK(got[1 - nacked].message.body == "b");
    CHECK(got[1 - nacked].deliveries == 1);
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE("a delayed message, sent or nacked, comes when its time has come") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    const TimePoint before = Now();
    Outgoing later = Text("later");
    later.delay = std::chrono::seconds(1);
    std::vector<Outgoing> messages;
    messages.push_back(later);
    messages.push_back(Text("at once"));
    const auto sent = co_await broker.Send(engine.Name(), std::move(messages));
    REQUIRE(sent.ok());
    CHECK(sent->front().delayed_to > sent->front().sent_at);
    auto got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"at once"});
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
    got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"later"});
    CHECK(Now() - before >= std::chrono::milliseconds(990));
    CHECK((co_await SettleAll(broker, got, Verdict(kNack, std::chrono::seconds(1)))).ok());
    const TimePoint nacked = Now();
    got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"later"});
    CHECK(got[0].deliveries == 2);
    CHECK(Now() - nacked >= std::chrono::milliseconds(900));
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE("an expired message is never delivered") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    Outgoing brief = Text("brief");
    brief.expiry = std::chrono::seconds(1);
    std::vector<Outgoing> messages;
    messages.push_back(brief);
    const auto sent = co_await broker.Send(engine.Name(), std::move(messages));
    REQUIRE(sent.ok());
    CHECK(sent->front().expires_at > sent->front().sent_at);
    CHECK(co_await Sleep(Now() + std::chrono::milliseconds(1'100)));
    co_await SendAll(broker, engine.Name(), {"lasting"});
    const auto got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"lasting"});
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE("a message that used up its deliveries moves to its dead-letter queue, or is dropped") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    Outgoing limited = Text("limited");
    limited.max_deliveries = 2;
    limited.dead_letter = engine.Name("-dead");
    Outgoing dropped = Text("dropped");
    dropped.max_deliveries = 1;
    std::vector<Outgoing> messages;
    messages.push_back(limited);
    messages.push_back(dropped);
    REQUIRE((co_await broker.Send(engine.Name(), std::move(messages))).ok());
    for (int nacks = 0; nacks < 3; ++nacks) {
      const auto got = co_await Take(broker, engine.Name(), 1);
      REQUIRE(got.size() == 1);
      CHECK((co_await SettleAll(broker, got, Verdict(kNack))).ok());
    }
    CHECK((co_await Take(broker, engine.Name(), 1, Milliseconds(50))).empty());
    const auto dead = co_await Take(broker, engine.Name("-dead"), 2, Milliseconds(50));
    REQUIRE(Bodies(dead) == Texts{"limited"});
    CHECK(dead[0].deliveries == 1);
    CHECK(dead[0].attributes.rerouted_from == engine.Name());
    CHECK(dead[0].message.channel == engine.Name("-dead"));
    CHECK((co_await SettleAll(broker, dead, Verdict(kAck))).ok());
    const auto info = co_await broker.Info(engine.Name());
    REQUIRE(info.ok());
    if (info->dead) CHECK(*info->dead == 2);
  });
}

TEST_CASE("one message that can't be sent does not keep the others back") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    std::vector<Outgoing> messages;
    messages.push_back(Text("one"));
    messages.push_back(Text(std::string(broker.caps().max_body + 1, 'x')));
    messages.push_back(Text("three"));
    const auto sent = co_await broker.Send(engine.Name(), std::move(messages));
    REQUIRE(sent.ok());
    REQUIRE(sent->size() == 3);
    CHECK((*sent)[0].status.ok());
    CHECK(FaultOf((*sent)[1].status) == Fault::kTooLarge);
    CHECK((*sent)[2].status.ok());
    const auto got = co_await Take(broker, engine.Name(), 2);
    CHECK(Bodies(got) == Texts{"one", "three"});
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE("queues that can't be are refused") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    for (const char* name : {"", "two words", "wild.*", "wild.>", "ends."}) {
      std::vector<Outgoing> messages;
      messages.push_back(Text("x"));
      CHECK(FaultOf((co_await broker.Send(name, std::move(messages))).status()) == Fault::kInvalidRequest);
      CHECK(FaultOf((co_await broker.Receive(name, Up(1, Milliseconds(0)))).status()) ==
            Fault::kInvalidRequest);
    }
    (void)engine;
  });
}

TEST_CASE("ten thousand messages, most of them on disk, come each once and in order") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    const size_t count = 10'000;
    for (size_t next = 0; next < count;) {
      Texts some;
      for (size_t i = 0; i < 500; ++i) some.push_back(std::to_string(next++));
      co_await SendAll(broker, engine.Name(), std::move(some));
    }
    const auto info = co_await broker.Info(engine.Name());
    REQUIRE(info.ok());
    if (info->waiting) CHECK(*info->waiting == count);
    size_t next = 0;
    while (next < count) {
      const auto got = co_await Take(broker, engine.Name(), 250);
      REQUIRE_FALSE(got.empty());
      for (const Delivery& delivery : got) REQUIRE(delivery.message.body == std::to_string(next++));
      REQUIRE((co_await SettleAll(broker, got, Verdict(kAck))).ok());
    }
    CHECK((co_await Take(broker, engine.Name(), 1, Milliseconds(50))).empty());
  });
}

Awaitable<void> ReceiveUntilCancelled(Broker& broker, std::string queue, std::shared_ptr<int> ended) {
  (void)co_await broker.Receive(std::move(queue), Up(1));
  ++*ended;
}

TEST_CASE("a receive that is cancelled takes nothing with it") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    const auto ended = std::make_shared<int>(0);
    TaskGroup gone(engine.executor());
    for (int i = 0; i < 5; ++i) gone.Spawn(ReceiveUntilCancelled(broker, engine.Name(), ended));
    (void)co_await broker.Info(engine.Name());
    gone.Cancel();
    co_await gone.Join();
    CHECK(*ended == 5);
    co_await SendAll(broker, engine.Name(), {"still here"});
    const auto got = co_await Take(broker, engine.Name(), 1);
    CHECK(Bodies(got) == Texts{"still here"});
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

TEST_CASE(
    "a peek shows what is next and takes nothing; a purge removes what waits and leaves what is leased") {
  OnQueues([](Engine& engine, Broker& broker) -> Awaitable<void> {
    QueueAdmin* const admin = broker.queue_admin();
    if (admin == nullptr) co_return;
    co_await SendAll(broker, engine.Name(), {"a", "b", "c"});
    for (int i = 0; i < 2; ++i) {
      const auto seen = co_await admin->Peek(engine.Name(), 2);
      REQUIRE(seen.ok());
      CHECK(Bodies(*seen) == Texts{"a", "b"});
      CHECK(seen->front().deliveries == 1);
    }
    auto got = co_await Take(broker, engine.Name(), 1);
    const auto purged = co_await admin->Purge(engine.Name());
    REQUIRE(purged.ok());
    CHECK(*purged == 2);
    CHECK((co_await Take(broker, engine.Name(), 1, Milliseconds(0))).empty());
    CHECK((co_await SettleAll(broker, got, Verdict(kRelease))).ok());
    co_await SendAll(broker, engine.Name(), {"d"});
    got = co_await Take(broker, engine.Name(), 2);
    CHECK(Bodies(got) == Texts{"a", "d"});
    bool listed = false;
    const auto all = co_await admin->Queues();
    REQUIRE(all.ok());
    for (const QueueTotals& totals : *all) {
      if (totals.name != engine.Name()) continue;
      listed = true;
      if (totals.leased) CHECK(*totals.leased == 2);
      CHECK(totals.waiting == (totals.leased ? 0 : 2));
      CHECK(totals.bytes > 0);
      CHECK(totals.last_sequence == 4);
    }
    CHECK(listed);
    CHECK((co_await SettleAll(broker, got, Verdict(kAck))).ok());
  });
}

}  // namespace
}  // namespace llm_router::test
