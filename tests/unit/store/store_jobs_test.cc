// Single jobs in the store: what each step makes of each state, also when the process restarts in between.
#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/run.h"
#include "tests/unit/store/store_bench.h"

namespace llm_router {
namespace {

using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::JobState;
using contract::Outcome;
using namespace test;

absl::Status Failed() { return MakeFault(Fault::kProviderFailed, "it broke"); }

TEST_CASE("a job is there once it was submitted, for its own tenant only") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    const auto kept = co_await STORE(bench).Submit(JobOf("j1"), kStart);
    REQUIRE(kept.ok());
    CHECK(kept->state == JobState::kQueued);
    CHECK(kept->position == 0);
    CHECK((co_await STORE(bench).Submit(JobOf("j2"), kStart))->position == 1);
    CHECK((co_await STORE(bench).Find("acme", "j1", true))->created_at == kStart / 1000);
    CHECK(FaultOf((co_await STORE(bench).Find("other", "j1", true)).status()) == Fault::kInvalidRequest);
    CHECK((co_await STORE(bench).Counts())->at(0).unfed == 2);
    co_await bench.Close();
  });
}

TEST_CASE("the same idempotency key, and the same message of a stranger, is the same job") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    NewJob keyed = JobOf("k1");
    keyed.idempotency_key = "key";
    CHECK((co_await STORE(bench).Submit(keyed, kStart))->id == "k1");
    keyed.id = "k2";
    CHECK((co_await STORE(bench).Submit(keyed, kStart))->id == "k1");
    keyed.tenant = "other";
    CHECK((co_await STORE(bench).Submit(keyed, kStart))->id == "k2");

    NewJob foreign = JobOf("f1");
    foreign.message_id = "m";
    foreign.sent_at = 5;
    CHECK((co_await STORE(bench).Submit(foreign, kStart))->id == "f1");
    foreign.id = "f2";
    CHECK((co_await STORE(bench).Submit(foreign, kStart))->id == "f1");
    foreign.sent_at = 6;
    CHECK((co_await STORE(bench).Submit(foreign, kStart))->id == "f2");
    CHECK((co_await STORE(bench).Find("acme", "m", false))->id == "f2");
    co_await bench.Close();
  });
}

TEST_CASE("a run that was given up before its begin came does not start") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).Submit(JobOf("j"), kStart);
    FinishRun give_up;
    give_up.ask.job = "j";
    give_up.ask.run = "late";
    give_up.ask.outcome = contract::Outcome::kAgain;
    give_up.ask.failure = MakeFault(Fault::kWorkerLost, "no answer");
    CHECK(*co_await STORE(bench).Finish(give_up, kStart) == contract::FinishVerdict::kStale);
    CHECK((co_await STORE(bench).Begin(BeginOf("j", "late"), kStart))->begun.verdict == BeginVerdict::kBusy);
    CHECK((co_await STORE(bench).Begin(BeginOf("j", "next"), kStart))->begun.verdict == BeginVerdict::kGo);
    co_await bench.Close();
  });
}

TEST_CASE("begin and finish may be repeated, and a job has one result") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    CHECK((co_await STORE(bench).Begin(BeginOf("unknown", "r"), kStart))->begun.verdict ==
          BeginVerdict::kUnknown);
    (void)co_await STORE(bench).Submit(JobOf("j"), kStart);
    for (int i = 0; i < 2; ++i)
      CHECK((co_await STORE(bench).Begin(BeginOf("j", "r1"), kStart))->begun.verdict == BeginVerdict::kGo);
    const auto busy = co_await STORE(bench).Begin(BeginOf("j", "r2"), kStart);
    CHECK(busy->begun.verdict == BeginVerdict::kBusy);
    CHECK(busy->run == "r1");
    CHECK(busy->worker == "worker-of-r1");
    CHECK(*co_await STORE(bench).Finish(FinishOf("j", "r2"), kStart) == FinishVerdict::kStale);
    for (int i = 0; i < 2; ++i)
      CHECK(*co_await STORE(bench).Finish(FinishOf("j", "r1"), kStart) == FinishVerdict::kKept);
    CHECK((co_await STORE(bench).Begin(BeginOf("j", "r2"), kStart))->begun.verdict == BeginVerdict::kDone);
    CHECK(*co_await STORE(bench).Finish(FinishOf("j", "r2"), kStart) == FinishVerdict::kStale);
    const auto job = co_await STORE(bench).Find("acme", "j", true);
    CHECK(job->state == JobState::kCompleted);
    CHECK(job->runs == 1);
    REQUIRE(job->reply);
    CHECK(job->reply->body == R"({"of":"r1"})");
    const auto counts = co_await STORE(bench).Counts();
    CHECK(counts->at(0).completed == 1);
    CHECK(counts->at(0).unfed + counts->at(0).fed + counts->at(0).running == 0);
    co_await bench.Close();
  });
}

TEST_CASE("a run that a provider failed is tried again after a while, until its runs are used up") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).Submit(JobOf("j"), kStart);
    FinishRun failed = FinishOf("j", "r1", Outcome::kFailed, Failed());
    failed.policies.others.runs = 2;
    (void)co_await STORE(bench).Begin(BeginOf("j", "r1"), kStart);
    for (int i = 0; i < 2; ++i) CHECK(*co_await STORE(bench).Finish(failed, kStart) == FinishVerdict::kKept);
    CHECK((co_await STORE(bench).Find("acme", "j", false))->state == JobState::kQueued);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart + 999))->jobs.empty());
    const auto early = co_await STORE(bench).Begin(BeginOf("j", "r2"), kStart + 400);
    CHECK(early->begun.verdict == BeginVerdict::kBusy);
    CHECK(early->begun.wait == std::chrono::milliseconds(600));
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart + 1'000))->jobs.size() == 1);
    CHECK((co_await STORE(bench).Begin(BeginOf("j", "r2"), kStart + 1'000))->begun.verdict ==
          BeginVerdict::kGo);
    failed.ask.run = "r2";
    CHECK(*co_await STORE(bench).Finish(failed, kStart) == FinishVerdict::kKept);
    const auto job = co_await STORE(bench).Find("acme", "j", true);
    CHECK(job->state == JobState::kFailed);
    REQUIRE(job->failures.size() == 2);
    CHECK(FaultOf(job->failures[0].why) == Fault::kProviderFailed);
    CHECK(MessageOf(job->failures[1].why) == "it broke");
    co_await bench.Close();
  });
}

TEST_CASE("a fault that another run can't mend fails the job at once; a busy provider uses up no run") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).Submit(JobOf("wrong"), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("wrong", "r"), kStart);
    (void)co_await STORE(bench).Finish(
        FinishOf("wrong", "r", Outcome::kFailed, MakeFault(Fault::kProviderRejected, "no")), kStart);
    CHECK((co_await STORE(bench).Find("acme", "wrong", false))->state == JobState::kFailed);

    (void)co_await STORE(bench).Submit(JobOf("busy"), kStart);
    for (int i = 0; i < 10; ++i) {
      const std::string run = "r" + std::to_string(i);
      CHECK((co_await STORE(bench).Begin(BeginOf("busy", run), kStart))->begun.verdict == BeginVerdict::kGo);
      const auto again = FinishOf("busy", run, Outcome::kAgain, MakeFault(Fault::kProviderBusy, "later"));
      for (int j = 0; j < 2; ++j) CHECK(*co_await STORE(bench).Finish(again, kStart) == FinishVerdict::kKept);
    }
    const auto job = co_await STORE(bench).Find("acme", "busy", false);
    CHECK(job->state == JobState::kQueued);
    CHECK(job->runs == 0);
    // Its message is in the queue still.
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.empty());
    co_await bench.Close();
  });
}

TEST_CASE(
    "a dead run makes way: at_least_once for another, at_most_once for a failure; in the end the runs are "
    "used up") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).Submit(JobOf("j"), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("j", "r1"), kStart);
    BeginRun second = BeginOf("j", "r2", "r1");
    second.policy.runs = 2;
    CHECK((co_await STORE(bench).Begin(second, kStart))->begun.verdict == BeginVerdict::kGo);
    CHECK(*co_await STORE(bench).Finish(FinishOf("j", "r1"), kStart) == FinishVerdict::kStale);
    BeginRun third = BeginOf("j", "r3", "r2");
    third.policy.runs = 2;
    for (int i = 0; i < 2; ++i)
      CHECK((co_await STORE(bench).Begin(third, kStart))->begun.verdict == BeginVerdict::kExhausted);
    auto job = co_await STORE(bench).Find("acme", "j", true);
    CHECK(job->state == JobState::kFailed);
    CHECK(job->failures.size() == 2);
    CHECK(FaultOf(job->failures[0].why) == Fault::kWorkerLost);

    (void)co_await STORE(bench).Submit(JobOf("once"), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("once", "r1"), kStart);
    BeginRun again = BeginOf("once", "r2", "r1");
    again.policy.at_most_once = true;
    for (int i = 0; i < 2; ++i)
      CHECK((co_await STORE(bench).Begin(again, kStart))->begun.verdict == BeginVerdict::kInterrupted);
    CHECK((co_await STORE(bench).Find("acme", "once", false))->state == JobState::kFailed);
    co_await bench.Close();
  });
}

TEST_CASE(
    "the runs of a worker that went away are queued again; one that was not dead may still end its job") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"a", "b", "once"}) (void)co_await STORE(bench).Submit(JobOf(id), kStart);
    BeginRun begin = BeginOf("a", "ra");
    begin.ask.worker = "w";
    (void)co_await STORE(bench).Begin(begin, kStart);
    begin.ask.job = "b";
    begin.ask.run = "rb";
    (void)co_await STORE(bench).Begin(begin, kStart);
    CHECK(*co_await STORE(bench).RunningWorkers() == std::vector<std::string>{"w"});
    CHECK(*co_await STORE(bench).RequeueRunsOf("w", {}, 100, kStart) == 2);
    CHECK((co_await STORE(bench).RunningWorkers())->empty());
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.size() == 3);
    CHECK(*co_await STORE(bench).Finish(FinishOf("a", "ra"), kStart) == FinishVerdict::kKept);
    CHECK((co_await STORE(bench).Find("acme", "a", false))->state == JobState::kCompleted);
    CHECK((co_await STORE(bench).Begin(BeginOf("b", "r2"), kStart))->begun.verdict == BeginVerdict::kGo);
    CHECK(*co_await STORE(bench).Finish(FinishOf("b", "rb"), kStart) == FinishVerdict::kStale);

    JobPolicies once;
    once.others.at_most_once = true;
    begin.ask.job = "once";
    (void)co_await STORE(bench).Begin(begin, kStart);
    CHECK(*co_await STORE(bench).RequeueRunsOf("w", once, 100, kStart) == 1);
    CHECK((co_await STORE(bench).Find("acme", "once", false))->state == JobState::kFailed);
    co_await bench.Close();
  });
}

TEST_CASE(
    "a job is cancelled in every state but the last ones, and a cancelled or failed one can be tried again") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"queued", "running", "done"})
      (void)co_await STORE(bench).Submit(JobOf(id), kStart);
    for (const char* id : {"running", "done"}) (void)co_await STORE(bench).Begin(BeginOf(id, "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("done", "r"), kStart);
    CHECK_FALSE((co_await STORE(bench).Cancel("acme", "queued", kStart))->aborted);
    const auto running = co_await STORE(bench).Cancel("acme", "running", kStart);
    REQUIRE(running->aborted);
    CHECK(running->aborted->worker == "worker-of-r");
    CHECK(running->job.state == JobState::kCancelled);
    CHECK((co_await STORE(bench).Cancel("acme", "done", kStart))->job.state == JobState::kCompleted);
    CHECK_FALSE((co_await STORE(bench).Cancel("acme", "running", kStart))->aborted);
    CHECK(FaultOf((co_await STORE(bench).Cancel("other", "done", kStart)).status()) ==
          Fault::kInvalidRequest);
    CHECK((co_await STORE(bench).Begin(BeginOf("queued", "r"), kStart))->begun.verdict ==
          BeginVerdict::kCancelled);
    CHECK(*co_await STORE(bench).Finish(FinishOf("running", "r"), kStart) == FinishVerdict::kStale);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.empty());

    CHECK((co_await STORE(bench).Retry("acme", "running", kStart))->state == JobState::kQueued);
    CHECK((co_await STORE(bench).Retry("acme", "running", kStart))->state == JobState::kQueued);
    CHECK_FALSE((co_await STORE(bench).Retry("acme", "done", kStart)).ok());
    CHECK(*co_await STORE(bench).Finish(FinishOf("running", "r"), kStart) == FinishVerdict::kStale);
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(10), kStart);
    REQUIRE(page->jobs.size() == 1);
    CHECK(page->jobs[0].body == "prompt of running");
    (void)co_await STORE(bench).Begin(BeginOf("running", "r2"), kStart);
    CHECK(*co_await STORE(bench).Finish(FinishOf("running", "r2"), kStart) == FinishVerdict::kKept);
    co_await bench.Close();
  });
}

TEST_CASE("a queued job whose deadline passed fails with timeout, at a sweep and at begin") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"swept", "begun", "running"}) {
      NewJob job = JobOf(id);
      job.deadline = kStart + 10;
      (void)co_await STORE(bench).Submit(job, kStart);
    }
    (void)co_await STORE(bench).Begin(BeginOf("running", "r"), kStart);
    CHECK((co_await STORE(bench).Begin(BeginOf("begun", "r"), kStart + 10))->begun.verdict ==
          BeginVerdict::kDone);
    CHECK(*co_await STORE(bench).FailOverdue(100, kStart + 9) == 0);
    CHECK(*co_await STORE(bench).FailOverdue(100, kStart + 10) == 1);
    for (const char* id : {"swept", "begun"}) {
      const auto job = co_await STORE(bench).Find("acme", id, true);
      CHECK(job->state == JobState::kFailed);
      CHECK(job->reply->error == "the job's deadline passed before it was done");
    }
    CHECK(*co_await STORE(bench).Finish(FinishOf("running", "r"), kStart + 20) == FinishVerdict::kKept);
    co_await bench.Close();
  });
}

TEST_CASE("jobs are listed newest first, page by page, by state and route") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (int i = 0; i < 5; ++i)
      (void)co_await STORE(bench).Submit(JobOf("j" + std::to_string(i), "acme", i == 3 ? "claude" : "openai"),
                                         kStart);
    (void)co_await STORE(bench).Submit(JobOf("foreign", "other"), kStart);
    (void)co_await STORE(bench).Cancel("acme", "j1", kStart);
    const auto ids = [](const absl::StatusOr<contract::JobPage>& page) {
      std::string all;
      for (const contract::Job& job : page->jobs) all += job.id + " ";
      return all + (page->has_more ? "more" : "");
    };
    contract::ListJobs ask;
    ask.limit = 2;
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j4 j3 more");
    ask.after = "j3";
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j2 j1 more");
    ask.after = "j1";
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j0 ");
    ask = {};
    ask.route = "claude";
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j3 ");
    ask.state = JobState::kCancelled;
    CHECK(ids(co_await STORE(bench).List("acme", ask)).empty());
    ask.route = "";
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j1 ");
    ask.route = "openai";
    CHECK(ids(co_await STORE(bench).List("acme", ask)) == "j1 ");
    co_await bench.Close();
  });
}

TEST_CASE("what was fed is fed again only when the queue lost it or it was queued again") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"a", "b", "c"}) (void)co_await STORE(bench).Submit(JobOf(id), kStart);
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(2), kStart);
    REQUIRE(page->jobs.size() == 2);
    CHECK(page->jobs[0].id == "a");
    // Meanwhile one was begun, failed, and queued again: its mark is of before.
    (void)co_await STORE(bench).Begin(BeginOf("b", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("b", "r", Outcome::kFailed, Failed()), kStart);
    CHECK((co_await STORE(bench).MarkFed(page->jobs)).ok());
    const auto counts = co_await STORE(bench).Counts();
    CHECK(counts->at(0).fed == 1);
    CHECK(counts->at(0).unfed == 2);
    CHECK(*co_await STORE(bench).Refeed("openai", 100) == 1);
    CHECK(*co_await STORE(bench).Refeed("openai", 100) == 0);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(9), kStart))->jobs.size() == 2);
    co_await bench.Close();
  });
}

TEST_CASE("what a queue refuses for good fails with its reason, unless it was queued again meanwhile") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"a", "b"}) (void)co_await STORE(bench).Submit(JobOf(id), kStart);
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(2), kStart);
    REQUIRE(page->jobs.size() == 2);
    (void)co_await STORE(bench).Begin(BeginOf("b", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("b", "r", Outcome::kFailed, Failed()), kStart);
    const absl::Status why = MakeFault(Fault::kTooLarge, "the body is too large");
    for (const FeedJob& job : page->jobs) CHECK((co_await STORE(bench).FailUnfed(job, why, kStart)).ok());
    const auto failed = co_await STORE(bench).Find("acme", "a", true);
    CHECK(failed->state == JobState::kFailed);
    CHECK(failed->reply->error == "the body is too large");
    CHECK((co_await STORE(bench).Find("acme", "b", false))->state == JobState::kQueued);
    co_await bench.Close();
  });
}

TEST_CASE("old jobs are forgotten, and a full store refuses new ones with the setting's name") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    (void)co_await STORE(bench).Submit(JobOf("old"), kStart);
    (void)co_await STORE(bench).Submit(JobOf("open"), kStart);
    (void)co_await STORE(bench).Cancel("acme", "old", kStart);
    CHECK(*co_await STORE(bench).Prune(kStart, 100) == 0);
    CHECK(*co_await STORE(bench).Prune(kStart + 1, 100) == 1);
    CHECK_FALSE((co_await STORE(bench).Find("acme", "old", false)).ok());
    CHECK((co_await STORE(bench).Find("acme", "open", false)).ok());
    co_await bench.Close();
    bench.max_bytes = 1;
    bench.Open();
    const auto refused = co_await STORE(bench).Submit(JobOf("more"), kStart);
    CHECK(FaultOf(refused.status()) == Fault::kOverloaded);
    CHECK(MessageOf(refused.status()).find("limits.queue_bytes") != std::string_view::npos);
    co_await bench.Close();
  });
}

TEST_CASE("a damaged query or result is never served: its job fails and says so") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    for (const char* id : {"query", "result"}) (void)co_await STORE(bench).Submit(JobOf(id), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("result", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("result", "r"), kStart);
    co_await bench.Close();
    {
      SQLite::Database file(bench.file().string(), SQLite::OPEN_READWRITE);
      file.exec("UPDATE bodies SET record=CAST('x' || substr(record, 2) AS BLOB)");
      file.exec("UPDATE results SET record=CAST(substr(record, 1, length(record)-1) || 'x' AS BLOB)");
    }
    bench.Open();
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(10), kStart);
    CHECK(page->jobs.empty());
    CHECK(page->damaged);
    for (const char* id : {"query", "result"}) {
      const auto job = co_await STORE(bench).Find("acme", id, true);
      CHECK(job->state == JobState::kFailed);
      REQUIRE(job->reply);
      CHECK(job->reply->error.find("damaged on disk") != std::string::npos);
    }
    co_await bench.Close();
  });
}

TEST_CASE("a store of a later version is refused") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    {
      SQLite::Database file((folder.path() / "jobs.sqlite").string(),
                            SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      file.exec("CREATE TABLE of_later_times(x); PRAGMA user_version=999");
    }
    SqliteStoreOptions options;
    options.folder = folder.path();
    const auto opened = OpenSqliteStore(loop.executor(), options);
    CHECK(FaultOf(opened.status()) == Fault::kStorageFailed);
    CHECK(MessageOf(opened.status()).find("later version") != std::string_view::npos);
    co_return;
  });
}

}  // namespace
}  // namespace llm_router
