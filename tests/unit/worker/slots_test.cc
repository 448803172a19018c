#include "router/worker/slots.h"

#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/task_group.h"
#include "router/worker/provider_gate.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

const TimePoint kLater = Now() + std::chrono::hours(1);

// Queries that take a slot each and keep it until told; their names, in the order in which they got one.
struct Queries {
  Queries(Executor executor, Slots& its_slots) : slots(its_slots), tasks(executor) {}

  TaskGroup::TaskId Ask(std::string name) { return tasks.Spawn(Take(std::move(name))); }
  Awaitable<void> Take(std::string name) {
    auto slot = co_await slots.TakeForQuery(kLater);
    if (!slot) co_return;
    got.push_back(name);
    held.push_back(std::make_unique<Slots::Slot>(*std::move(slot)));
  }

  Slots& slots;
  std::vector<std::string> got;
  std::vector<std::unique_ptr<Slots::Slot>> held;
  TaskGroup tasks;
};

// Lets everything go on that can.
Awaitable<void> Settled(Loop& loop) {
  for (int i = 0; i < 20; ++i) co_await boost::asio::post(loop.executor(), kUseAwaitable);
}

using Names = std::vector<std::string>;

TEST_CASE("jobs leave the reserve free, and queries take all of it") {
  Run([](Loop& loop) -> Awaitable<void> {
    Slots slots(loop.executor(), 3, 1);
    CHECK(slots.job_capacity() == 2);
    auto first = slots.TakeForJob();
    auto second = slots.TakeForJob();
    CHECK(first.has_value());
    CHECK(second.has_value());
    CHECK(slots.free_for_jobs() == 0);
    CHECK_FALSE(slots.TakeForJob().has_value());
    const auto query = co_await slots.TakeForQuery(kLater);
    CHECK(query.has_value());
    CHECK(slots.in_flight() == 3);
    second.reset();
    CHECK(slots.free_for_jobs() == 0);  // the query has one of the two
    first.reset();
    CHECK(slots.free_for_jobs() == 1);
  });
}

TEST_CASE("queries that find no slot get one in their order, and before any job") {
  Run([](Loop& loop) -> Awaitable<void> {
    Slots slots(loop.executor(), 1, 0);
    auto job = slots.TakeForJob();
    Queries queries(loop.executor(), slots);
    queries.Ask("a");
    queries.Ask("b");
    co_await Settled(loop);
    CHECK(queries.got.empty());
    job.reset();
    CHECK_FALSE(slots.TakeForJob().has_value());
    co_await Settled(loop);
    CHECK(queries.got == Names{"a"});
    queries.held.clear();
    co_await Settled(loop);
    CHECK(queries.got == Names{"a", "b"});
    CHECK(slots.in_flight() == 1);
    queries.held.clear();
    CHECK(slots.in_flight() == 0);
    co_await queries.tasks.Join();
  });
}

TEST_CASE("a query that is cancelled while it waits loses its turn, not a slot") {
  Run([](Loop& loop) -> Awaitable<void> {
    Slots slots(loop.executor(), 1, 0);
    int room = 0;
    slots.OnRoom([&room] { ++room; });
    auto job = slots.TakeForJob();
    Queries queries(loop.executor(), slots);
    const auto a = queries.Ask("a");
    queries.Ask("b");
    co_await Settled(loop);
    queries.tasks.Cancel(a);
    co_await Settled(loop);
    job.reset();
    co_await Settled(loop);
    CHECK(queries.got == Names{"b"});
    CHECK(room == 0);
    queries.held.clear();
    CHECK(room == 1);
    CHECK(slots.in_flight() == 0);
    co_await queries.tasks.Join();
  });
}

TEST_CASE("a query whose deadline passes while it waits gets nothing") {
  Run([](Loop& loop) -> Awaitable<void> {
    Slots slots(loop.executor(), 1, 0);
    const auto job = slots.TakeForJob();
    const auto none = co_await slots.TakeForQuery(Now());
    CHECK_FALSE(none.has_value());
    CHECK(slots.in_flight() == 1);
  });
}

TEST_CASE("a reserve of all slots leaves none to jobs") {
  Run([](Loop& loop) -> Awaitable<void> {
    Slots slots(loop.executor(), 2, 5);
    CHECK(slots.job_capacity() == 0);
    CHECK_FALSE(slots.TakeForJob().has_value());
    co_return;
  });
}

// ---- the gate before the providers ----

constexpr Milliseconds kSecond(1'000);
constexpr Milliseconds kTen(10'000);

TEST_CASE("a busy provider keeps jobs away until the time it named, then one goes alone") {
  ProviderGate gate(kSecond, kTen);
  const TimePoint now = Now();
  CHECK(gate.MayStart(now, 8) == 8);
  const auto first = gate.Start();
  const auto second = gate.Start();
  CHECK(gate.Busy(first, kTen, now) >= kTen);
  CHECK(gate.MayStart(now + kTen - Milliseconds(1), 8) == 0);
  CHECK(gate.MayStart(now + kTen, 8) == 1);
  gate.Answered(second);  // it began before: no news
  CHECK(gate.MayStart(now + kTen, 8) == 1);
  const auto probe = gate.Start();
  CHECK(gate.MayStart(now + kTen, 8) == 0);
  gate.Answered(probe);
  CHECK(gate.MayStart(now + kTen, 8) == 8);
}

TEST_CASE("a probe that finds the provider busy closes the gate again; one that never asked makes room") {
  ProviderGate gate(kSecond, kTen);
  TimePoint now = Now();
  (void)gate.Busy(gate.Start(), kSecond, now);
  now += kSecond;
  gate.NotAsked(gate.Start());
  CHECK(gate.MayStart(now, 8) == 1);
  (void)gate.Busy(gate.Start(), kTen, now);
  CHECK(gate.MayStart(now + kSecond, 8) == 0);
  CHECK(gate.MayStart(now + kTen, 8) == 1);
}

TEST_CASE("what was on its way when the gate closed only ever puts its opening off") {
  ProviderGate gate(kSecond, kTen);
  const TimePoint now = Now();
  const auto first = gate.Start();
  const auto second = gate.Start();
  const auto third = gate.Start();
  (void)gate.Busy(first, kSecond, now);
  (void)gate.Busy(second, kTen, now);
  (void)gate.Busy(third, std::nullopt, now);
  CHECK(gate.not_before() == now + kTen);
}

TEST_CASE("without a time the gate backs off within a span that doubles up to its bound") {
  ProviderGate gate(kSecond, kTen);
  TimePoint now = Now();
  Milliseconds bound = kSecond;
  for (int i = 0; i < 8; ++i) {
    const Milliseconds delay = gate.Busy(gate.Start(), std::nullopt, now);
    CHECK(gate.not_before() <= now + bound);
    CHECK(delay >= gate.not_before() - now);
    now = gate.not_before();
    bound = std::min(bound * 2, kTen);
  }
}

}  // namespace
}  // namespace llm_router
