#include "router/worker/worker.h"

#include <deque>

#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "router/telemetry/metrics.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

const TimePoint kLater = Now() + std::chrono::hours(1);

// The pipeline of these tests: "hold" waits until it is released or cancelled, all else is answered at once.
class Hold final : public Stage {
 public:
  explicit Hold(Executor executor) : started(executor), released(executor) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override {
    Reply reply;
    reply.executed = true;
    reply.message.body = exchange.query.message.body;
    reply.message.tags = exchange.query.message.tags;
    if (exchange.query.message.body != "hold") co_return reply;
    started.Set(std::string(TagOr(exchange.query.message.tags, contract::tag::kQuery)));
    if (co_await released.Wait(kLater)) co_return reply;
    ++cancelled;
    co_return MakeFault(Fault::kCancelled, "held query cancelled");
  }

  OneShot<std::string> started;
  OneShot<bool> released;
  int cancelled = 0;
};

// A worker of the route "chat" on a broker of its own, and everything it said of itself.
struct Bench {
  explicit Bench(Executor executor)
      : tasks(executor),
        broker(MakeEmbeddedBroker(executor, EmbeddedOptions())),
        beat(executor),
        left(executor),
        hold_owner(Own(executor)) {
    Route route;
    route.name = "chat";
    route.targets.emplace_back(nullptr, "model-a");
    route.concurrency = 8;
    WorkerOptions options;
    options.name = "w1";
    options.routes.push_back(route);
    worker = std::make_unique<Worker>(executor, *broker, pipeline, options);
  }

  static std::unique_ptr<Hold> Own(Executor executor) { return std::make_unique<Hold>(executor); }
  std::vector<std::unique_ptr<Stage>> Stages() {
    std::vector<std::unique_ptr<Stage>> stages;
    hold = hold_owner.get();
    stages.push_back(std::move(hold_owner));
    return stages;
  }

  Awaitable<void> Start() {
    auto listening = co_await broker->Subscribe("llm_workers", "", [this](const Message& message) {
      beats.push_back(*contract::ParseHeartbeat(message.body));
      (beats.back().leaving ? left : beat).Set(true);
    });
    heartbeats = *std::move(listening);
    REQUIRE((co_await worker->Start()).ok());
  }

  Awaitable<void> Stop() {
    co_await worker->Drain();
    co_await tasks.Join();
    heartbeats.reset();
    co_await broker->Stop();
  }

  Awaitable<absl::StatusOr<Reply>> Ask(std::string body, Tags tags = {}) {
    Message message("chat_requests", std::move(body));
    message.tags = std::move(tags);
    return broker->Request(Query(Kind::kQuery, std::move(message), kLater));
  }

  // Asks in the background; the answer lands in `answers`.
  void AskAside(std::string body, Tags tags = {}) { tasks.Spawn(Keep(std::move(body), std::move(tags))); }
  Awaitable<void> Keep(std::string body, Tags tags) {
    answers.push_back(co_await Ask(std::move(body), std::move(tags)));
  }

  void Cancel(const std::string& query, const std::string& tenant = "default") {
    Message message("llm_control", ToJson(contract::Cancel(query, UnixMillis() + 60'000)));
    message.tags["tenant"] = tenant;
    REQUIRE(broker->Publish(std::move(message)).ok());
  }

  TaskGroup tasks;
  std::unique_ptr<Broker> broker;
  OneShot<bool> beat;
  OneShot<bool> left;
  std::unique_ptr<Hold> hold_owner;
  Hold* hold = nullptr;
  Pipeline pipeline{Stages()};
  std::unique_ptr<Worker> worker;
  SubscriptionPtr heartbeats;
  std::deque<contract::Heartbeat> beats;
  std::vector<absl::StatusOr<Reply>> answers;
};

TEST_CASE("a worker answers the queries of its route, and stamps those that no door stamped") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    const auto plain = co_await bench.Ask("Hi");
    CHECK(plain->message.body == "Hi");
    CHECK_FALSE(TagOr(plain->message.tags, "query").empty());
    CHECK(TagOr(plain->message.tags, "tenant") == "default");
    const auto stamped = co_await bench.Ask("Hi", {{"query", "q1"}, {"tenant", "t1"}});
    CHECK(TagOr(stamped->message.tags, "query") == "q1");
    CHECK(TagOr(stamped->message.tags, "tenant") == "t1");
    co_await bench.Stop();
  });
}

TEST_CASE("a worker says at once what it serves, and goodbye when it leaves") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    REQUIRE(co_await bench.beat.Wait(kLater));
    const contract::Heartbeat first = bench.beats.front();
    CHECK(first.worker == "w1");
    CHECK_FALSE(first.leaving);
    CHECK(first.routes.at(0).route == "chat");
    CHECK(first.routes.at(0).models == std::vector<std::string>{"model-a"});
    CHECK(first.routes.at(0).capacity == 8);
    co_await bench.worker->Drain();
    CHECK(co_await bench.left.Wait(kLater));
    co_await bench.Stop();
  });
}

TEST_CASE("a cancel on llm_control ends the query it names, for its own tenant only") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    bench.AskAside("hold", {{"query", "q1"}});
    REQUIRE(co_await bench.hold->started.Wait(kLater) == "q1");
    bench.Cancel("q1", "somebody else");
    CHECK((co_await bench.Ask("still here"))->message.body == "still here");
    CHECK(bench.hold->cancelled == 0);
    bench.Cancel("q1");
    co_await bench.tasks.Join();
    CHECK(bench.hold->cancelled == 1);
    CHECK(FaultOf(bench.answers.at(0).status()) == Fault::kCancelled);
    co_await bench.Stop();
  });
}

TEST_CASE("a cancel that overtakes its query still cancels it, for its own tenant only") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    bench.Cancel("q2", "somebody else");
    CHECK((co_await bench.Ask("Hi", {{"query", "q2"}}))->message.body == "Hi");
    bench.Cancel("q1");
    CHECK((co_await bench.Ask("other"))->message.body == "other");
    CHECK(FaultOf((co_await bench.Ask("Hi", {{"query", "q1"}})).status()) == Fault::kCancelled);
    co_await bench.Stop();
  });
}

TEST_CASE("a worker that drains takes no more and finishes what it has") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    bench.AskAside("hold");
    REQUIRE(co_await bench.hold->started.Wait(kLater));
    bool drained = false;
    TaskGroup draining(loop.executor());
    draining.Spawn([](Bench& b, bool& done) -> Awaitable<void> {
      co_await b.worker->Drain();
      done = true;
    }(bench, drained));
    bench.AskAside("late");  // nobody takes it any more
    bench.hold->released.Set(true);
    co_await draining.Join();
    CHECK(drained);
    REQUIRE(bench.answers.size() == 1);
    CHECK(bench.answers.at(0)->message.body == "hold");
    co_await bench.broker->Stop();
    co_await bench.tasks.Join();
    CHECK_FALSE(bench.answers.at(1).ok());
  });
}

TEST_CASE("what still runs when the time to drain is over is ended, and its caller told to ask again") {
  Run([](Loop& loop) -> Awaitable<void> {
    Bench bench(loop.executor());
    co_await bench.Start();
    bench.AskAside("hold");
    REQUIRE(co_await bench.hold->started.Wait(kLater));
    co_await bench.worker->BeginDrain(Now());
    co_await bench.worker->Drain();
    co_await bench.tasks.Join();
    CHECK(bench.hold->cancelled == 1);
    REQUIRE(bench.answers.size() == 1);
    CHECK(FaultOf(bench.answers[0].status()) == Fault::kShuttingDown);
    co_await bench.Stop();
  });
}

TEST_CASE("a query that finds no place before its deadline is counted, though no stage saw it") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeEmbeddedBroker(loop.executor(), EmbeddedOptions());
    Streams streams(loop.executor(), *broker, "w1");
    const Pipeline pipeline{{}};
    Runs runs(loop.executor(), pipeline, streams);
    Metrics metrics;
    Route route;
    route.name = "chat";
    route.series = &metrics.queries().Route("chat", 1);
    Slots slots(loop.executor(), 1, 0);
    const auto taken = co_await slots.TakeForQuery(kLater);
    REQUIRE(taken.has_value());
    Query query(Kind::kQuery, Message("chat_requests", "Hi"), Now() + Milliseconds(5));
    query.message.tags = {{"query", "q1"}, {"tenant", "acme"}};
    const Ran ran = co_await runs.Run(route, slots, std::move(query));
    CHECK(FaultOf(ran.failure) == Fault::kTimeout);
    co_await runs.Join();
    CHECK_THAT(metrics.Text(),
               Catch::Matchers::Contains(R"(llm_router_queries_total{error_type="timeout",)"));
    co_await broker->Stop();
  });
}

}  // namespace
}  // namespace llm_router
