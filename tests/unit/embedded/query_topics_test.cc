#include "broker_adapters/embedded/query_topics.h"

#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;
using Result = absl::StatusOr<Reply>;

Query Ask(std::string channel, std::string body = "hello", Milliseconds timeout = std::chrono::minutes(1)) {
  return Query(Kind::kQuery, Message(std::move(channel), std::move(body)), Now() + timeout);
}

ServeOptions Options(std::string pattern, std::string group, size_t capacity = 256) {
  return ServeOptions(Kind::kQuery, std::move(pattern), std::move(group), capacity);
}

Awaitable<Result> Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(query.message.body);
  co_return reply;
}

// Requests in the background, their results in order of their end.
class Callers {
 public:
  Callers(Executor executor, QueryTopics& topics) : topics_(topics), tasks_(executor) {}

  TaskGroup::TaskId Start(Query query) { return tasks_.Spawn(Ask(std::move(query))); }
  void Cancel(TaskGroup::TaskId id) { tasks_.Cancel(id); }
  Awaitable<void> Join() { return tasks_.Join(); }
  const std::vector<Result>& results() const { return results_; }

 private:
  Awaitable<void> Ask(Query query) { results_.push_back(co_await topics_.Request(std::move(query))); }

  QueryTopics& topics_;
  TaskGroup tasks_;
  std::vector<Result> results_;
};

// Gives way until `condition` holds: everything in these tests happens on the one loop.
template <class Condition>
Awaitable<void> Until(Condition condition) {
  while (!condition()) co_await boost::asio::post(kUseAwaitable);
}

void CheckAtRest(const QueryTopics& topics) {
  CHECK(topics.stats().pending == 0);
  CHECK(topics.stats().waiting == 0);
}

TEST_CASE("a hundred thousand queries leave nothing behind") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    const auto served = topics.Serve(Options("q", "workers", 8), Echo);
    Callers callers(loop.executor(), topics);
    constexpr int kRounds = 100;
    constexpr int kEach = 1000;  // far above the capacity: most of them wait
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kEach; ++i) callers.Start(Ask("q"));
      co_await callers.Join();
    }
    CHECK(callers.results().size() == kRounds * kEach);
    for (const Result& result : callers.results()) {
      if (!result.ok()) FAIL(result.status().ToString());
    }
    co_await Until([&] { return topics.stats().running == 0; });
    CheckAtRest(topics);
    co_await topics.Stop();
  });
}

TEST_CASE("what waits goes to the first member with room, in order of arrival") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    std::vector<std::string> order;
    const auto record = [&order](Query query) -> Awaitable<Result> {
      order.push_back(query.message.body);
      return Echo(std::move(query));
    };
    Callers callers(loop.executor(), topics);
    for (const char* body : {"1", "2", "3"}) callers.Start(Ask("a.b", body));
    co_await Until([&] { return topics.stats().waiting == 3; });
    const auto served = topics.Serve(Options("a.*", "g", 1), record);
    co_await callers.Join();
    CHECK(order == std::vector<std::string>{"1", "2", "3"});
    co_await topics.Stop();
  });
}

TEST_CASE("a wildcard's member takes what arrived first over all its channels") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    std::vector<std::string> order;
    const auto record = [&order](Query query) -> Awaitable<Result> {
      order.push_back(query.message.channel);
      return Echo(std::move(query));
    };
    Callers callers(loop.executor(), topics);
    for (const char* channel : {"a.1", "a.2", "a.1", "a.3"}) callers.Start(Ask(channel));
    co_await Until([&] { return topics.stats().waiting == 4; });
    const auto served = topics.Serve(Options("a.*", "", 1), record);
    co_await callers.Join();
    CHECK(order == std::vector<std::string>{"a.1", "a.2", "a.1", "a.3"});
    co_await topics.Stop();
  });
}

TEST_CASE("beyond the limit of waiting queries a channel answers overloaded, and others go on") {
  Run([](Loop& loop) -> Awaitable<void> {
    EmbeddedOptions options;
    options.max_waiting = 2;
    QueryTopics topics(loop.executor(), options);
    Callers callers(loop.executor(), topics);
    const auto first = callers.Start(Ask("q"));
    const auto second = callers.Start(Ask("q"));
    co_await Until([&] { return topics.stats().waiting == 2; });
    const auto refused = co_await topics.Request(Ask("q"));
    CHECK(FaultOf(refused.status()) == Fault::kOverloaded);
    CHECK(MessageOf(refused.status()) ==
          "more queries wait on this channel than are held: ask again later, or start more workers");
    const auto other = callers.Start(Ask("other"));
    co_await Until([&] { return topics.stats().waiting == 3; });
    for (const auto caller : {first, second, other}) callers.Cancel(caller);
    co_await callers.Join();
    CheckAtRest(topics);
    co_await topics.Stop();
  });
}

TEST_CASE("what waits is bounded in bytes over all channels") {
  Run([](Loop& loop) -> Awaitable<void> {
    EmbeddedOptions options;
    options.max_waiting_bytes = 100'000;
    QueryTopics topics(loop.executor(), options);
    Callers callers(loop.executor(), topics);
    const auto held = callers.Start(Ask("a", std::string(90'000, 'x')));
    co_await Until([&] { return topics.stats().waiting == 1; });
    CHECK(FaultOf((co_await topics.Request(Ask("b", std::string(20'000, 'x')))).status()) ==
          Fault::kOverloaded);
    callers.Cancel(held);
    co_await callers.Join();
    const auto served = topics.Serve(Options("b", "g"), Echo);
    CHECK((co_await topics.Request(Ask("b", std::string(200'000, 'x')))).ok());  // nothing has to wait
    co_await topics.Stop();
  });
}

TEST_CASE("a timeout says whether nobody served, all were busy, or one was at it") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    constexpr Milliseconds kShort(5);
    const auto nobody = co_await topics.Request(Ask("q", "", kShort));
    CHECK(MessageOf(nobody.status()) ==
          "no answer before the deadline on channel \"q\": nobody serves it; start a worker for it, or check "
          "the name");
    const auto served = topics.Serve(Options("q", "g", 1), [](Query) -> Awaitable<Result> {
      (void)co_await Sleep(TimePoint::max());
      co_return Reply();
    });
    Callers callers(loop.executor(), topics);
    const auto occupies = callers.Start(Ask("q"));
    co_await Until([&] { return topics.stats().running == 1; });
    const auto busy = co_await topics.Request(Ask("q", "", kShort));
    CHECK(MessageOf(busy.status()) ==
          "no answer before the deadline on channel \"q\": all who serve it are busy; start more workers, or "
          "allow more time");
    callers.Cancel(occupies);
    co_await callers.Join();
    const auto slow = co_await topics.Request(Ask("q", "", kShort));
    CHECK(MessageOf(slow.status()) ==
          "no answer before the deadline on channel \"q\": a worker was still at it; allow more time");
    CHECK(FaultOf(slow.status()) == Fault::kTimeout);
    const auto late = co_await topics.Request(Ask("q", "", Milliseconds(-1)));
    CHECK(FaultOf(late.status()) == Fault::kTimeout);
    co_await topics.Stop();
  });
}

TEST_CASE("what waited for a subscriber that left goes to who comes next") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    const auto never = [](Query) -> Awaitable<Result> {
      (void)co_await Sleep(TimePoint::max());
      co_return Reply();
    };
    auto leaving = topics.Serve(Options("q", "g", 1), never);
    Callers callers(loop.executor(), topics);
    callers.Start(Ask("q", "running"));
    callers.Start(Ask("q", "waiting"));
    co_await Until([&] { return topics.stats().waiting == 1; });
    leaving->reset();
    co_await Until([&] { return callers.results().size() == 1; });
    CHECK(FaultOf(callers.results().at(0).status()) == Fault::kWorkerLost);
    CHECK(topics.stats().waiting == 1);
    const auto next = topics.Serve(Options("*", "other"), Echo);
    co_await callers.Join();
    REQUIRE(callers.results().at(1).ok());
    CHECK(callers.results().at(1)->message.body == "waiting");
    co_await topics.Stop();
  });
}

TEST_CASE("what waited in one of two groups is answered by the other when the first goes away") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    int in_first = 0;
    const auto never = [&in_first](Query) -> Awaitable<Result> {
      ++in_first;
      (void)co_await Sleep(TimePoint::max());
      co_return Reply();
    };
    OneShot<bool> go(loop.executor());
    const auto waits = [&go](Query query) -> Awaitable<Result> {
      (void)co_await go.Wait(TimePoint::max());
      co_return co_await Echo(std::move(query));
    };
    auto first = topics.Serve(Options("q", "first", 1), never);
    Callers callers(loop.executor(), topics);
    callers.Start(Ask("q", "occupies"));
    co_await Until([&] { return in_first == 1; });
    const auto second = topics.Serve(Options("q", "second", 1), waits);
    callers.Start(Ask("q", "shared"));
    co_await Until([&] { return topics.stats().running == 2 && topics.stats().waiting == 1; });
    first->reset();
    go.Set(true);
    co_await callers.Join();
    CHECK(FaultOf(callers.results().at(0).status()) == Fault::kWorkerLost);
    REQUIRE(callers.results().at(1).ok());
    CHECK(callers.results().at(1)->message.body == "shared");
    CHECK(in_first == 1);
    co_await Until([&] { return topics.stats().running == 0; });
    CheckAtRest(topics);
    co_await topics.Stop();
  });
}

TEST_CASE("a handler that says worker_lost is no answer while another has the query") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    OneShot<bool> go(loop.executor());
    const auto lost = topics.Serve(Options("t", "a"), [](Query) -> Awaitable<Result> {
      co_return MakeFault(Fault::kWorkerLost, "gone");
    });
    auto slow = topics.Serve(Options("t", "b"), [&go](Query query) -> Awaitable<Result> {
      (void)co_await go.Wait(TimePoint::max());
      co_return co_await Echo(std::move(query));
    });
    Callers callers(loop.executor(), topics);
    callers.Start(Ask("t", "kept"));
    co_await Until([&] { return topics.stats().running == 1; });
    CHECK(callers.results().empty());
    go.Set(true);
    co_await callers.Join();
    REQUIRE(callers.results().at(0).ok());
    CHECK(callers.results().at(0)->message.body == "kept");
    slow->reset();
    callers.Start(Ask("t"));
    co_await callers.Join();
    CHECK(FaultOf(callers.results().at(1).status()) == Fault::kWorkerLost);
    CheckAtRest(topics);
    co_await topics.Stop();
  });
}

TEST_CASE("the same group on overlapping patterns acts as one") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    int by_name = 0;
    int by_wildcard = 0;
    const auto count = [](int& counter) {
      return [&counter](Query query) {
        ++counter;
        return Echo(std::move(query));
      };
    };
    const auto named = topics.Serve(Options("o.x", "g"), count(by_name));
    const auto wild = topics.Serve(Options("o.*", "g"), count(by_wildcard));
    for (int i = 0; i < 10; ++i) CHECK((co_await topics.Request(Ask("o.x"))).ok());
    CHECK(by_name == 5);
    CHECK(by_wildcard == 5);
    co_await topics.Stop();
  });
}

TEST_CASE("a handler's exception is its caller's error and nobody else's") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    const auto served = topics.Serve(Options("q", "", 1), [](Query) -> Awaitable<Result> {
      throw std::runtime_error("on purpose");
      co_return Reply();
    });
    for (int i = 0; i < 2; ++i) {
      const auto result = co_await topics.Request(Ask("q"));
      CHECK(FaultOf(result.status()) == Fault::kInternal);
      CHECK(MessageOf(result.status()) == "the query's handler failed: on purpose");
    }
    co_await topics.Stop();
  });
}

TEST_CASE("subscriptions and drains outlive the broker's stop") {
  Run([](Loop& loop) -> Awaitable<void> {
    auto topics = std::make_unique<QueryTopics>(loop.executor(), EmbeddedOptions());
    auto served = topics->Serve(Options("q", "g"), [](Query) -> Awaitable<Result> {
      (void)co_await Sleep(TimePoint::max());
      co_return Reply();
    });
    Callers callers(loop.executor(), *topics);
    callers.Start(Ask("q"));
    co_await Until([&] { return topics->stats().running == 1; });
    TaskGroup drains(loop.executor());
    drains.Spawn((*served)->Drain());
    co_await topics->Stop();
    CHECK(FaultOf((co_await topics->Request(Ask("q"))).status()) == Fault::kShuttingDown);
    CHECK(FaultOf(topics->Serve(Options("q", "g"), Echo).status()) == Fault::kShuttingDown);
    co_await callers.Join();
    CHECK(FaultOf(callers.results().at(0).status()) == Fault::kShuttingDown);
    topics.reset();
    co_await drains.Join();
    co_await (*served)->Drain();
    served->reset();
  });
}

TEST_CASE("subscriptions that can't be are refused") {
  Run([](Loop& loop) -> Awaitable<void> {
    QueryTopics topics(loop.executor(), EmbeddedOptions());
    CHECK(MessageOf(topics.Serve(Options("q", "g", 0), Echo).status()) ==
          "the capacity is 0: it takes at least 1 query at a time");
    CHECK(FaultOf(topics.Serve(Options("q.", "g"), Echo).status()) == Fault::kInvalidRequest);
    CHECK(FaultOf(topics.Serve(Options("q", "a group"), Echo).status()) == Fault::kInvalidRequest);
    CHECK(FaultOf((co_await topics.Request(Ask("a.*"))).status()) == Fault::kInvalidRequest);
    co_await topics.Stop();
  });
}

}  // namespace
}  // namespace llm_router
