// The nats adapter when the wire is cut, or the server is killed, in the middle of each verb.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/nats/nats_broker.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/cut_wire.h"
#include "tests/support/nats_server.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

constexpr std::chrono::seconds kPatience(30);

// A server, a client at the end of a wire that can be cut, and another whose wire can't.
class Bench {
 public:
  explicit Bench(Loop& loop)
      : tasks(loop.executor()), changed(loop.executor()), wire(loop.executor(), server.port()) {
    near_ = MakeNatsBroker(loop.executor(), OptionsTo(server.port()));
    far_ = MakeNatsBroker(loop.executor(), OptionsTo(wire.port()));
  }

  Broker& near() { return *near_; }
  Broker& far() { return *far_; }

  Awaitable<void> Stop() {
    tasks.Cancel();
    co_await tasks.Join();
    co_await far_->Stop();
    co_await near_->Stop();
    co_await wire.Stop();
  }

  test::NatsServer server;
  TaskGroup tasks;
  test::Signal changed;
  test::CutWire wire;

 private:
  static NatsOptions OptionsTo(int port) {
    NatsOptions options;
    options.servers = {fmt::format("127.0.0.1:{}", port)};
    return options;
  }

  std::unique_ptr<Broker> near_;
  std::unique_ptr<Broker> far_;
};

void OnBench(std::function<Awaitable<void>(Bench&)> body) {
  if (!test::NatsServer::IsHere()) return;
  test::Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    std::exception_ptr failure;
    try {
      co_await body(bench);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await bench.Stop();
    if (failure) std::rethrow_exception(failure);
  });
}

Query Ask(std::string body, Milliseconds timeout = kPatience) {
  return Query(Kind::kQuery, Message("ch", std::move(body)), Now() + timeout);
}

// Answers all but "hold", which waits until it is cancelled.
Awaitable<absl::StatusOr<Reply>> Answer(Query query) {
  if (query.message.body == "hold") (void)co_await Sleep(Now() + kPatience);
  Reply reply;
  reply.executed = true;
  reply.message.body = query.message.body;
  co_return reply;
}

ServeOptions Workers() { return ServeOptions(Kind::kQuery, "ch", "workers", 8); }

Awaitable<void> AskInto(Broker& broker, Query query, std::shared_ptr<absl::StatusOr<Reply>> into,
                        test::Signal& changed) {
  *into = co_await broker.Request(std::move(query));
  changed.Notify();
}

// Asks until somebody answers: what is pending at a cut fails at once, what comes later does not.
Awaitable<bool> AnsweredAgain(Broker& broker) {
  for (const TimePoint until = Now() + kPatience; Now() < until;) {
    if ((co_await broker.Request(Ask("again", std::chrono::seconds(1)))).ok()) co_return true;
  }
  co_return false;
}

TEST_CASE("a query that waits when its caller's wire is cut fails at once, and the next is answered") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    const auto served = co_await bench.near().Serve(Workers(), Answer);
    REQUIRE(served.ok());
    REQUIRE((co_await bench.far().Request(Ask("first"))).ok());
    const auto result = std::make_shared<absl::StatusOr<Reply>>(absl::InternalError("none yet"));
    bench.wire.HoldAnswers(true);
    bench.tasks.Spawn(AskInto(bench.far(), Ask("hold"), result, bench.changed));
    co_await boost::asio::post(kUseAwaitable);
    co_await boost::asio::post(kUseAwaitable);
    bench.wire.HoldAnswers(false);
    bench.wire.Reset();
    CHECK(
        co_await bench.changed.Until([&] { return FaultOf(result->status()) == Fault::kEngineUnavailable; }));
    const auto next = co_await bench.far().Request(Ask("next"));
    INFO(next.status());
    CHECK(next.ok());
  });
}

TEST_CASE("a worker whose wire was cut serves again, and the queries that come meanwhile wait for it") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    const auto served = co_await bench.far().Serve(Workers(), Answer);
    REQUIRE(served.ok());
    REQUIRE((co_await bench.near().Request(Ask("first"))).ok());
    bench.wire.Refuse(true);
    bench.wire.Reset();
    const auto result = std::make_shared<absl::StatusOr<Reply>>(absl::InternalError("none yet"));
    CHECK(FaultOf((co_await bench.near().Request(Ask("nobody there", Milliseconds(300)))).status()) ==
          Fault::kTimeout);
    bench.tasks.Spawn(AskInto(bench.near(), Ask("waits"), result, bench.changed));
    bench.wire.Refuse(false);
    CHECK(co_await bench.changed.Until([&] { return result->ok(); }));
  });
}

TEST_CASE("a worker that is gone is noticed by who waits for it") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    const auto served = co_await bench.far().Serve(Workers(), Answer);
    REQUIRE(served.ok());
    REQUIRE((co_await bench.near().Request(Ask("first"))).ok());
    const auto result = std::make_shared<absl::StatusOr<Reply>>(absl::InternalError("none yet"));
    bench.tasks.Spawn(AskInto(bench.near(), Ask("hold"), result, bench.changed));
    // What the worker says of itself after 20 ms has to get through first.
    (void)co_await bench.changed.Until([] { return false; }, Milliseconds(500));
    bench.wire.Refuse(true);
    bench.wire.Reset();
    CHECK(co_await bench.changed.Until([&] { return FaultOf(result->status()) == Fault::kWorkerLost; },
                                       Milliseconds(15'000)));
    bench.wire.Refuse(false);
  });
}

TEST_CASE("events come again after a cut") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    const auto got = std::make_shared<std::vector<std::string>>();
    const auto subscribed = co_await bench.far().Subscribe("ev", "", [got, &bench](const Message& event) {
      got->push_back(event.body);
      bench.changed.Notify();
    });
    REQUIRE(subscribed.ok());
    REQUIRE(bench.near().Publish(Message("ev", "one")).ok());
    REQUIRE(co_await bench.changed.Until([&] { return got->size() == 1; }));
    bench.wire.Reset();
    for (const TimePoint until = Now() + kPatience; got->size() == 1 && Now() < until;) {
      REQUIRE(bench.near().Publish(Message("ev", "more")).ok());
      (void)co_await bench.changed.Until([&] { return got->size() > 1; }, Milliseconds(50));
    }
    CHECK(got->back() == "more");
  });
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> SendOne(Broker& broker, std::string body) {
  std::vector<Outgoing> messages(1);
  messages[0].message.body = std::move(body);
  co_return co_await broker.Send("q", std::move(messages));
}

ReceiveOptions Up(size_t max, Milliseconds wait = kPatience) {
  ReceiveOptions options;
  options.max = max;
  options.wait = wait;
  return options;
}

// Receives until something came: a receive that waits at a cut fails.
Awaitable<std::vector<Delivery>> ReceiveAgain(Broker& broker, Milliseconds wait = Milliseconds(1'000)) {
  for (const TimePoint until = Now() + kPatience; Now() < until;) {
    auto got = co_await broker.Receive("q", Up(8, wait));
    if (got.ok() && !got->empty()) co_return *std::move(got);
    if (!got.ok()) (void)co_await Sleep(Now() + Milliseconds(50));
  }
  co_return std::vector<Delivery>();
}

Awaitable<absl::Status> SettleOne(Broker& broker, Delivery delivery, Settlement::Verdict verdict) {
  Settlement settlement;
  settlement.verdict = verdict;
  std::vector<Receipt> receipts;
  receipts.push_back(delivery.receipt);
  co_return co_await broker.Settle(std::move(receipts), settlement);
}

Awaitable<void> ReceiveInto(Broker& broker, std::shared_ptr<absl::Status> into, test::Signal& changed) {
  *into = (co_await broker.Receive("q", Up(1))).status();
  changed.Notify();
}

TEST_CASE("a lease outlives a cut: the message is settled over the next connection") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    REQUIRE((co_await SendOne(bench.near(), "job")).ok());
    const auto got = co_await ReceiveAgain(bench.far());
    REQUIRE(got.size() == 1);
    bench.wire.Reset();
    absl::Status settled = absl::UnavailableError("not yet");
    for (const TimePoint until = Now() + kPatience; !settled.ok() && Now() < until;) {
      settled = co_await SettleOne(bench.far(), got[0], Settlement::Verdict::kAck);
      if (!settled.ok()) (void)co_await Sleep(Now() + Milliseconds(50));
    }
    CHECK(settled.ok());
    const auto info = co_await bench.near().Info("q");
    REQUIRE(info.ok());
    CHECK(info->waiting == 0);
  });
}

TEST_CASE("a message whose settlement failed comes again, though its receiver lives on") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    REQUIRE((co_await SendOne(bench.near(), "job")).ok());
    const auto held = co_await ReceiveAgain(bench.far());
    REQUIRE(held.size() == 1);
    bench.wire.Refuse(true);
    bench.wire.Reset();
    CHECK_FALSE((co_await SettleOne(bench.far(), held[0], Settlement::Verdict::kRelease)).ok());
    bench.wire.Refuse(false);
    const auto got = co_await ReceiveAgain(bench.near());
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.body == "job");
  });
}

TEST_CASE("a receive that waits at a cut fails, and what comes then goes to the next one, once") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    REQUIRE((co_await bench.far().Receive("q", Up(1, Milliseconds(0)))).ok());
    const auto status = std::make_shared<absl::Status>();
    bench.tasks.Spawn(ReceiveInto(bench.far(), status, bench.changed));
    (void)co_await bench.near().Info("q");
    bench.wire.Reset();
    CHECK(co_await bench.changed.Until([&] { return FaultOf(*status) == Fault::kEngineUnavailable; }));
    REQUIRE((co_await SendOne(bench.near(), "job")).ok());
    const auto got = co_await ReceiveAgain(bench.far());
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.body == "job");
    CHECK((co_await SettleOne(bench.far(), got[0], Settlement::Verdict::kAck)).ok());
  });
}

TEST_CASE("what a receiver held that stopped comes to another at once, counted") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    REQUIRE((co_await SendOne(bench.near(), "job")).ok());
    REQUIRE((co_await ReceiveAgain(bench.far())).size() == 1);
    co_await bench.far().Stop();
    const auto got = co_await ReceiveAgain(bench.near());
    REQUIRE(got.size() == 1);
    CHECK(got[0].deliveries == 2);
  });
}

TEST_CASE("what was acknowledged to a sender is there after the server was killed") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    for (int i = 0; i < 50; ++i) {
      const auto sent = co_await SendOne(bench.near(), std::to_string(i));
      REQUIRE(sent.ok());
      REQUIRE(sent->front().status.ok());
    }
    bench.server.Kill();
    bench.server.Start();
    for (size_t next = 0; next < 50;) {
      const auto got = co_await ReceiveAgain(bench.near());
      REQUIRE_FALSE(got.empty());
      for (const Delivery& delivery : got) {
        CHECK(delivery.message.body == std::to_string(next++));
        CHECK((co_await SettleOne(bench.near(), delivery, Settlement::Verdict::kAck)).ok());
      }
    }
    const auto served = co_await bench.near().Serve(Workers(), Answer);
    REQUIRE(served.ok());
    CHECK(co_await AnsweredAgain(bench.far()));
  });
}

}  // namespace
}  // namespace llm_router
