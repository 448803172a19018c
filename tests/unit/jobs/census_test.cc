// What the jobs service tells metrics of its queues and batches.
#include <algorithm>

#include "broker_adapters/base/one_shot.h"
#include "proto/contract.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/jobs/jobs_rig.h"

namespace llm_router {
namespace {

using test::JobsRig;
using test::Run;

constexpr auto kPatience = std::chrono::seconds(10);

// The last figures, and until they are as wanted.
struct Figures {
  explicit Figures(JobsRig& rig) {
    rig.options.measure_every = Milliseconds(20);
    rig.options.measured = [this](const JobsFigures& figures) { last = figures; };
  }

  QueueFigures Queue(std::string_view route) const {
    const auto found = std::ranges::find(last.queues, route, &QueueFigures::route);
    return found == last.queues.end() ? QueueFigures() : *found;
  }

  template <class Wanted>
  Awaitable<bool> Until(Wanted wanted) {
    const TimePoint deadline = Now() + kPatience;
    while (!wanted() && Now() < deadline) co_await Sleep(Now() + Milliseconds(5));
    co_return wanted();
  }

  JobsFigures last;
};

TEST_CASE("a queue's depth is what is not fed, what waits and what is delayed, with the age of the oldest") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    Figures figures(rig);
    REQUIRE(co_await rig.Open());
    REQUIRE(co_await figures.Until([&] { return figures.Queue("openai").route == "openai"; }));
    CHECK(figures.Queue("openai").depth == 0);
    CHECK(figures.Queue("openai").oldest.count() == 0);
    for (int i = 0; i < 5; ++i) (void)co_await rig.Submit("Hi");
    CHECK(co_await figures.Until([&] { return figures.Queue("openai").depth == 5; }));
    CHECK(co_await figures.Until([&] { return figures.Queue("openai").oldest.count() > 0; }));
    // A worker with room for one: two are fed.
    rig.Beat("w1", 1);
    (void)co_await rig.AwaitFed(2);
    CHECK(co_await figures.Until([&] { return figures.Queue("openai").depth == 5; }));
    co_await rig.Close();
  });
}

TEST_CASE("what others put straight into a route's queue is part of its depth") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    Figures figures(rig);
    REQUIRE(co_await rig.Open());
    std::vector<Outgoing> messages(3);
    for (Outgoing& outgoing : messages) outgoing.message = Message("openai_jobs", "Hi");
    REQUIRE((co_await rig.broker().Send("openai_jobs", std::move(messages))).ok());
    CHECK(co_await figures.Until([&] { return figures.Queue("openai").depth == 3; }));
    co_await rig.Close();
  });
}

TEST_CASE("open batches are told by tenant and state with their lines, and no more when they are over") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    Figures figures(rig);
    REQUIRE(co_await rig.Open());
    contract::CreateBatch create;
    create.options.format = contract::BatchFormat::kText;
    create.options.route = "openai";
    const auto made = co_await rig.Ask(ToJson(create));
    REQUIRE(made.ok());
    contract::AppendLines append;
    append.batch = made->at("id");
    append.data = "one\ntwo\n";
    REQUIRE((co_await rig.Ask(ToJson(append))).ok());
    const contract::AboutBatch seal(contract::AboutBatch::Op::kSeal, append.batch);
    REQUIRE((co_await rig.Ask(ToJson(seal))).ok());
    const auto open = [&] {
      return !figures.last.batches.empty() &&
             figures.last.batches.front().state == contract::BatchState::kInProgress;
    };
    REQUIRE(co_await figures.Until(open));
    const OpenBatches row = figures.last.batches.front();
    CHECK(row.tenant == "acme");
    CHECK(row.batches == 1);
    CHECK(row.lines.total == 2);
    CHECK(row.lines.completed == 0);
    REQUIRE(figures.last.jobs.size() == 1);
    CHECK(figures.last.jobs.front().unfed == 2);
    const contract::AboutBatch cancel(contract::AboutBatch::Op::kCancel, append.batch);
    REQUIRE((co_await rig.Ask(ToJson(cancel))).ok());
    CHECK(co_await figures.Until([&] { return figures.last.batches.empty(); }));
    co_await rig.Close();
  });
}

}  // namespace
}  // namespace llm_router
