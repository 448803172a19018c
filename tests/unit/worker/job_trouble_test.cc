// Jobs when something is missing: the journal, the broker's word, the worker's time.
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/worker/job_rig.h"

namespace llm_router::test {
namespace {

using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::Outcome;
constexpr auto kAck = Settlement::Verdict::kAck;
constexpr auto kRelease = Settlement::Verdict::kRelease;

// What a broker says when whoever had the question went away.
JobRig::Answer Nothing() {
  return []() -> absl::StatusOr<Reply> { return MakeFault(Fault::kWorkerLost, "gone"); };
}

// Drains in the background; `done` says when.
void DrainAside(JobRig& rig, TaskGroup& tasks, bool& done) {
  tasks.Spawn([](JobRig& draining, bool& is_done) -> Awaitable<void> {
    co_await draining.worker->Drain();
    is_done = true;
    draining.changed->Notify();
  }(rig, done));
}

Awaitable<void> End(JobRig& rig, TaskGroup& tasks) {
  co_await tasks.Join();
  rig.JournalDown();
  co_await rig.broker->Stop();
}

TEST_CASE("a begin without an answer gives the message back, and its run is given up before the next one") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.begin_answers.push_back(Nothing());
    co_await rig.Start();
    co_await rig.Put("j1", "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    CHECK(rig.broker->Count(kRelease) >= 1);  // twice when a Receive still waited: it is not counted
    REQUIRE(rig.begins.size() == 2);
    REQUIRE(rig.finishes.size() == 2);
    CHECK(rig.finishes[0].run == rig.begins[0].run);
    CHECK(rig.finishes[0].outcome == Outcome::kAgain);
    CHECK(rig.finishes[1].run == rig.begins[1].run);
    CHECK(rig.finishes[1].outcome == Outcome::kResult);
    CHECK(rig.begins[0].run != rig.begins[1].run);
    CHECK(rig.provider->calls.size() == 1);
    co_await rig.Stop();
  });
}

TEST_CASE("a finish is repeated until it is answered, the same each time, and the job runs once") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.finish_answers.push_back(Nothing());
    rig.finish_answers.push_back(Refuse(Fault::kStorageFailed, "the disk is full"));
    co_await rig.Start();
    co_await rig.Put("j1", "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    REQUIRE(rig.finishes.size() == 3);
    for (const contract::Finish& finish : rig.finishes) CHECK(ToJson(finish) == ToJson(rig.finishes[0]));
    CHECK(rig.provider->calls.size() == 1);
    CHECK(rig.begins.size() == 1);
    co_await rig.Stop();
  });
}

TEST_CASE("a finish outlives a restart of the jobs service") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    co_await rig.Start();
    co_await rig.Put("j1", "hold");
    co_await rig.Until([&] { return rig.provider->running == 1; });
    rig.JournalDown();
    rig.provider->released_all = true;
    rig.provider->released.Notify();
    co_await rig.JournalUp();
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    CHECK(rig.provider->calls.size() == 1);
    co_await rig.Stop();
  });
}

TEST_CASE("without a jobs service a worker keeps no job and takes few; when one comes, all are done") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.journal_up = false;
    rig.options.journal.patience = Milliseconds(20);
    co_await rig.Start();
    for (int i = 0; i < 20; ++i) co_await rig.Put("j" + std::to_string(i), "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kRelease) >= 1; });
    CHECK(rig.broker->Count(kAck) == 0);
    CHECK(rig.provider->calls.empty());
    CHECK((co_await rig.Ask("query"))->message.body == "query");
    co_await rig.JournalUp();
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 20; });
    CHECK(rig.broker->Count(kRelease) <= 3);
    CHECK(*(co_await rig.Info()).waiting == 0);
    co_await rig.Stop();
  });
}

TEST_CASE("an answer that can't be read is none: the message stays a job") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.begin_answers.push_back([]() -> absl::StatusOr<Reply> {
      Reply reply;
      reply.executed = true;
      reply.message.body = "{}";
      return reply;
    });
    co_await rig.Start();
    co_await rig.Put("j1", "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    CHECK(rig.broker->Count(kRelease) >= 1);
    CHECK(rig.provider->calls.size() == 1);
    co_await rig.Stop();
  });
}

TEST_CASE("a worker that drains takes no more jobs and finishes those it has") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    co_await rig.Start();
    co_await rig.Put("j1", "hold");
    co_await rig.Until([&] { return rig.provider->running == 1; });
    bool drained = false;
    TaskGroup tasks(loop.executor());
    DrainAside(rig, tasks, drained);
    co_await rig.Until([&] { return rig.broker->receiving == 0; });
    co_await rig.Put("j2", "late");
    CHECK_FALSE(drained);
    rig.provider->released_all = true;
    rig.provider->released.Notify();
    co_await rig.Until([&] { return drained; });
    CHECK(rig.broker->Count(kAck) == 1);
    CHECK(rig.provider->calls.size() == 1);
    const QueueInfo info = co_await rig.Info();
    CHECK(*info.waiting == 1);
    CHECK(*info.leased == 0);
    co_await End(rig, tasks);
  });
}

TEST_CASE("a worker that drains while no jobs service answers gives its jobs back in the end") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.options.journal.patience = Milliseconds(20);
    rig.options.journal.patience_at_end = Milliseconds(60);
    co_await rig.Start();
    co_await rig.Put("j1", "hold");
    co_await rig.Until([&] { return rig.provider->running == 1; });
    rig.JournalDown();
    bool drained = false;
    TaskGroup tasks(loop.executor());
    DrainAside(rig, tasks, drained);
    rig.provider->released_all = true;
    rig.provider->released.Notify();
    co_await rig.Until([&] { return drained; });
    CHECK(rig.broker->Count(kRelease) == 1);
    CHECK(rig.broker->Count(kAck) == 0);
    CHECK(*(co_await rig.Info()).waiting == 1);
    co_await End(rig, tasks);
  });
}

TEST_CASE("when the time to drain is over a job goes back to its queue, unless it may be asked once only") {
  const bool at_most_once = GENERATE(false, true);
  Run([at_most_once](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.options.routes[0].at_most_once = at_most_once;
    co_await rig.Start();
    co_await rig.Put("j1", "hold");
    co_await rig.Until([&] { return rig.provider->running == 1; });
    co_await rig.worker->BeginDrain(Now());
    bool drained = false;
    TaskGroup tasks(loop.executor());
    DrainAside(rig, tasks, drained);
    co_await rig.Until([&] { return drained; });
    REQUIRE(rig.finishes.size() == 1);
    CHECK(FaultOf(rig.finishes[0].failure) == Fault::kShuttingDown);
    CHECK(rig.finishes[0].outcome == (at_most_once ? Outcome::kFailed : Outcome::kAgain));
    CHECK(rig.broker->Count(kAck) == (at_most_once ? 1 : 0));
    CHECK(*(co_await rig.Info()).waiting == (at_most_once ? 0 : 1));
    co_await End(rig, tasks);
  });
}

TEST_CASE("a broker that fails to hand out messages is asked again") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.broker->receive_failures.emplace_back(MakeFault(Fault::kEngineUnavailable, "no connection"));
    co_await rig.Start();
    co_await rig.Put("j1", "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    CHECK(rig.broker->receive_failures.empty());
    co_await rig.Stop();
  });
}

TEST_CASE("an acknowledgement that finds the disk full is repeated") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    rig.broker->settle_failures.emplace_back(MakeFault(Fault::kStorageFailed, "the disk is full"));
    co_await rig.Start();
    co_await rig.Put("j1", "Hi");
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 1; });
    CHECK(rig.begins.size() == 1);
    CHECK(*(co_await rig.Info()).leased == 0);
    co_await rig.Stop();
  });
}

TEST_CASE("heartbeats say how many jobs fit, and count them in flight") {
  const bool queues = GENERATE(true, false);
  Run([queues](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop, queues);
    std::vector<contract::Heartbeat> beats;
    auto listening = co_await rig.broker->Subscribe("llm_workers", "", [&](const Message& message) {
      beats.push_back(*contract::ParseHeartbeat(message.body));
      rig.changed->Notify();
    });
    REQUIRE(listening.ok());
    co_await rig.Start();
    if (queues) {
      co_await rig.Put("j1", "hold");
      co_await rig.Until([&] { return !beats.empty() && beats.back().routes.at(0).in_flight == 1; });
    }
    co_await rig.Until([&] { return !beats.empty(); });
    CHECK(beats.back().routes.at(0).capacity == 4);
    CHECK(beats.back().routes.at(0).job_capacity == (queues ? 3 : 0));
    rig.provider->released_all = true;
    rig.provider->released.Notify();
    co_await rig.Stop();
    listening->reset();
  });
}

}  // namespace
}  // namespace llm_router::test
