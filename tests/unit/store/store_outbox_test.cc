// Results that wait to be sent to the queues that jobs named.
#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/support/run.h"
#include "tests/unit/store/store_bench.h"

namespace llm_router {
namespace {

using contract::JobState;
using namespace test;

TEST_CASE("results for reply-to wait in the outbox until they were sent") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    for (const char* id : {"good", "bad"}) {
      NewJob job = JobOf(id);
      job.reply_to = "results";
      (void)co_await STORE(bench).Submit(job, kStart);
    }
    CHECK((co_await STORE(bench).TakeOutbox(10, kStart))->empty());
    (void)co_await STORE(bench).Begin(BeginOf("good", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("good", "r"), kStart);
    (void)co_await STORE(bench).Cancel("acme", "bad", kStart + 1);
    auto items = co_await STORE(bench).TakeOutbox(10, kStart + 1);
    REQUIRE(items->size() == 2);
    CHECK(items->at(0).queue == "results");
    CHECK(items->at(0).reply.body == R"({"of":"r"})");
    CHECK(items->at(1).reply.body == R"({"error":{"code":"cancelled","message":"the job was cancelled"}})");
    CHECK((co_await STORE(bench).PutOff(items->at(1).row, 1, kStart + 100)).ok());
    CHECK((co_await STORE(bench).MarkSent({items->at(0).row})).ok());
    CHECK((co_await STORE(bench).TakeOutbox(10, kStart + 99))->empty());
    items = co_await STORE(bench).TakeOutbox(10, kStart + 100);
    REQUIRE(items->size() == 1);
    CHECK(items->at(0).attempts == 1);
    co_await bench.Close();
  });
}

TEST_CASE("a damaged row of the outbox loses no result") {
  const char* const damage =
      GENERATE("UPDATE outbox SET due=due+1", "UPDATE outbox SET due=due+1000000000000",
               "UPDATE outbox SET attempts=9");
  Run([damage](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    NewJob job = JobOf("a");
    job.reply_to = "results";
    (void)co_await STORE(bench).Submit(job, kStart);
    (void)co_await STORE(bench).Begin(BeginOf("a", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("a", "r"), kStart);
    co_await bench.Close();
    SQLite::Database(bench.file().string(), SQLite::OPEN_READWRITE).exec(damage);
    bench.Open();
    auto items = co_await STORE(bench).TakeOutbox(10, kStart + 1);
    REQUIRE(items->size() == 1);
    CHECK(items->at(0).attempts == 0);
    CHECK(items->at(0).reply.body == R"({"of":"r"})");
    CHECK((co_await STORE(bench).PutOff(items->at(0).row, 1, kStart + 100)).ok());
    CHECK((co_await STORE(bench).TakeOutbox(10, kStart + 99))->empty());
    items = co_await STORE(bench).TakeOutbox(10, kStart + 100);
    REQUIRE(items->size() == 1);
    CHECK(items->at(0).attempts == 1);
    co_await bench.Close();
  });
}

TEST_CASE("a row of the outbox that names a job without a result sends nothing") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    for (const char* id : {"done", "open"}) {
      NewJob job = JobOf(id);
      job.reply_to = "results";
      (void)co_await STORE(bench).Submit(job, kStart);
    }
    (void)co_await STORE(bench).Begin(BeginOf("done", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("done", "r"), kStart);
    co_await bench.Close();
    SQLite::Database(bench.file().string(), SQLite::OPEN_READWRITE)
        .exec("UPDATE outbox SET job=(SELECT seq FROM jobs WHERE id='open')");
    bench.Open();
    CHECK((co_await STORE(bench).TakeOutbox(10, kStart + 1))->empty());
    CHECK((co_await STORE(bench).Find("acme", "open", false))->state == JobState::kQueued);
    (void)co_await STORE(bench).Begin(BeginOf("open", "r2"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("open", "r2"), kStart);
    const auto items = co_await STORE(bench).TakeOutbox(10, kStart + 1);
    REQUIRE(items->size() == 1);
    CHECK(items->at(0).reply.body == R"({"of":"r2"})");
    co_await bench.Close();
  });
}

}  // namespace
}  // namespace llm_router
