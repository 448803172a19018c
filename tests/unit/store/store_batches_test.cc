// Batches in the store: filled, sealed, fed in turn, read, ended; also when the process restarts in between.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/run.h"
#include "tests/unit/store/store_bench.h"

namespace llm_router {
namespace {

using contract::BatchState;
using contract::BeginVerdict;
using contract::Outcome;
using namespace test;

AppendedLines LinesFrom(std::string batch, int64_t first, int count) {
  AppendedLines lines;
  lines.batch = std::move(batch);
  lines.first_line = first;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(first + i);
    LineQuery line;
    line.job = lines.batch + "-" + number;
    line.custom_id = "c" + number;
    line.route = "openai";
    line.body = "{}";
    lines.lines.emplace_back(std::move(line));
  }
  return lines;
}

Awaitable<void> MakeSealed(StoreBench& bench, std::string id, int lines,
                           contract::BatchOptions options = {}) {
  contract::CreateBatch ask;
  ask.options = std::move(options);
  (void)co_await STORE(bench).CreateBatch("acme", id, std::move(ask), kStart);
  REQUIRE((co_await STORE(bench).AppendLines("acme", LinesFrom(id, 1, lines), kStart)).ok());
  REQUIRE((co_await STORE(bench).SealBatch("acme", id, kStart))->state == BatchState::kInProgress);
}

TEST_CASE("creating a batch again with its idempotency key makes no other") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    contract::CreateBatch ask;
    ask.idempotency_key = "k";
    CHECK((co_await STORE(bench).CreateBatch("acme", "first", ask, kStart))->id == "first");
    CHECK((co_await STORE(bench).CreateBatch("acme", "second", ask, kStart))->id == "first");
    CHECK((co_await STORE(bench).CreateBatch("other", "third", ask, kStart))->id == "third");
    CHECK((co_await STORE(bench).CreateBatch("acme", "fourth", {}, kStart))->id == "fourth");
    CHECK((co_await STORE(bench).ListBatches("acme", {}))->batches.size() == 2);
    co_await bench.Close();
  });
}

std::string IdsOf(const FeedPage& page) {
  std::string ids;
  for (const FeedJob& job : page.jobs) ids += job.id + " ";
  return ids;
}

TEST_CASE("appends may be repeated and overlap, a gap is refused, and duplicates are found across them") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).CreateBatch("acme", "b", {}, kStart);
    CHECK((co_await STORE(bench).AppendLines("acme", LinesFrom("b", 1, 3), kStart))->next_line == 4);
    CHECK((co_await STORE(bench).AppendLines("acme", LinesFrom("b", 1, 3), kStart))->next_line == 4);
    CHECK((co_await STORE(bench).AppendLines("acme", LinesFrom("b", 3, 2), kStart))->next_line == 5);
    const auto gap = co_await STORE(bench).AppendLines("acme", LinesFrom("b", 9, 1), kStart);
    CHECK(MessageOf(gap.status()) == "first_line is 9, but line 5 comes next: send the lines in order");
    CHECK_FALSE((co_await STORE(bench).AppendLines("other", LinesFrom("b", 5, 1), kStart)).ok());
    AppendedLines wrong = LinesFrom("b", 5, 3);
    std::get<LineQuery>(wrong.lines[0]).custom_id = "c2";
    wrong.lines[1] = std::monostate();
    contract::BatchError bad;
    bad.code = "invalid_json_line";
    bad.line = 7;
    wrong.lines[2] = bad;
    const auto appended = co_await STORE(bench).AppendLines("acme", wrong, kStart);
    CHECK(appended->next_line == 8);
    CHECK(appended->bad_lines == 2);
    const auto sealed = co_await STORE(bench).SealBatch("acme", "b", kStart);
    CHECK(sealed->state == BatchState::kFailed);
    CHECK(sealed->counts.total == 4);
    REQUIRE(sealed->errors.size() == 2);
    CHECK(sealed->errors[0].code == "duplicate_custom_id");
    CHECK(sealed->errors[0].line == 5);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.empty());
    contract::ReadErrors read;
    read.batch = "b";
    read.limit = 1;
    auto page = co_await STORE(bench).ReadErrors("acme", read);
    CHECK(page->has_more);
    read.after = page->errors.at(0).line;
    page = co_await STORE(bench).ReadErrors("acme", read);
    CHECK_FALSE(page->has_more);
    CHECK(page->errors.at(0).line == 7);
    // Its lines go, it stays to be read.
    while (*co_await STORE(bench).Prune(0, 3) > 0) continue;
    CHECK((co_await STORE(bench).Counts())->at(0).unfed == 0);
    CHECK((co_await STORE(bench).FindBatch("acme", "b"))->bad_lines == 2);
    co_await bench.Close();
  });
}

TEST_CASE("a batch runs once it was sealed, its counts are exact, and its rows are OpenAI's") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    (void)co_await STORE(bench).CreateBatch("acme", "b", {}, kStart);
    (void)co_await STORE(bench).AppendLines("acme", LinesFrom("b", 1, 3), kStart);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.empty());
    CHECK((co_await STORE(bench).SealBatch("acme", "b", kStart))->state == BatchState::kInProgress);
    CHECK((co_await STORE(bench).SealBatch("acme", "b", kStart))->state == BatchState::kInProgress);
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(10), kStart);
    CHECK(IdsOf(*page) == "b-1 b-2 b-3 ");
    CHECK(page->jobs[0].deadline == kStart + 24 * 60 * 60 * 1000);
    (void)co_await STORE(bench).MarkFed(page->jobs);
    (void)co_await STORE(bench).Begin(BeginOf("b-2", "r"), kStart);
    CHECK((co_await STORE(bench).FindBatch("acme", "b"))->counts.running == 1);
    (void)co_await STORE(bench).Finish(FinishOf("b-2", "r"), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("b-1", "r"), kStart);
    (void)co_await STORE(bench).Finish(
        FinishOf("b-1", "r", Outcome::kFailed, MakeFault(Fault::kProviderRejected, "no")), kStart);
    auto batch = co_await STORE(bench).FindBatch("acme", "b");
    CHECK(batch->state == BatchState::kInProgress);
    CHECK(batch->counts.total == 3);
    CHECK(batch->counts.completed == 1);
    CHECK(batch->counts.failed == 1);
    CHECK(batch->counts.running == 0);
    (void)co_await STORE(bench).Begin(BeginOf("b-3", "r"), kStart);
    (void)co_await STORE(bench).Finish(
        FinishOf("b-3", "r", Outcome::kFailed, MakeFault(Fault::kProviderKeyMissing, "no key")), kStart);
    batch = co_await STORE(bench).FindBatch("acme", "b");
    CHECK(batch->state == BatchState::kCompleted);
    CHECK(batch->completed_at == kStart / 1000);

    contract::ReadLines read;
    read.batch = "b";
    read.limit = 2;
    auto lines = co_await STORE(bench).ReadLines("acme", read);
    REQUIRE(lines->lines.size() == 2);
    CHECK(lines->has_more);
    CHECK(
        lines->lines[0] ==
        R"({"id":"b-2","custom_id":"c2","response":{"status_code":200,"request_id":"b-2","body":{"of":"r"}},"error":null})");
    CHECK(
        lines->lines[1] ==
        R"({"id":"b-1","custom_id":"c1","response":{"status_code":400,"request_id":"b-1","body":{"of":"r"}},"error":null})");
    read.after = lines->next;
    lines = co_await STORE(bench).ReadLines("acme", read);
    REQUIRE(lines->lines.size() == 1);
    CHECK_FALSE(lines->has_more);
    CHECK(
        lines->lines[0] ==
        R"({"id":"b-3","custom_id":"c3","response":null,"error":{"code":"provider_key_missing","message":"no key"}})");
    read.after = 0;
    read.limit = 10;
    read.which = contract::ReadLines::Which::kFailed;
    CHECK((co_await STORE(bench).ReadLines("acme", read))->lines.size() == 2);
    read.which = contract::ReadLines::Which::kCompleted;
    CHECK((co_await STORE(bench).ReadLines("acme", read))->lines.size() == 1);
    co_await bench.Close();
  });
}

TEST_CASE("batches take turns, each within its own limit, and single jobs go first without starving them") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    contract::BatchOptions narrow;
    narrow.concurrency = 2;
    narrow.batch_size = 5;
    co_await MakeSealed(bench, "x", 6);
    co_await MakeSealed(bench, "y", 6, narrow);
    CHECK(IdsOf(*co_await STORE(bench).NextToFeed("openai", Room(6), kStart)) == "x-1 y-1 x-2 y-2 x-3 x-4 ");
    FeedLimits turn = Room(1);
    turn.last_lane = (co_await STORE(bench).NextToFeed("openai", turn, kStart))->last_lane;
    CHECK(IdsOf(*co_await STORE(bench).NextToFeed("openai", turn, kStart)) == "y-1 ");
    for (int i = 1; i <= 5; ++i) (void)co_await STORE(bench).Submit(JobOf("s" + std::to_string(i)), kStart);
    NewJob patient = JobOf("p");
    patient.interactive = false;
    (void)co_await STORE(bench).Submit(patient, kStart);
    CHECK(IdsOf(*co_await STORE(bench).NextToFeed("openai", Room(8), kStart)) == "s1 s2 s3 p s4 s5 x-1 y-1 ");
    const auto page = co_await STORE(bench).NextToFeed("openai", Room(12), kStart);
    CHECK((co_await STORE(bench).MarkFed(page->jobs)).ok());
    CHECK(IdsOf(*co_await STORE(bench).NextToFeed("openai", Room(10), kStart)) == "x-5 x-6 ");
    co_await bench.Close();
  });
}

TEST_CASE("a cancelled batch starts nothing from that moment, and its lines end bit by bit") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    co_await MakeSealed(bench, "b", 5);
    (void)co_await STORE(bench).Begin(BeginOf("b-1", "r"), kStart);
    (void)co_await STORE(bench).Finish(FinishOf("b-1", "r"), kStart);
    (void)co_await STORE(bench).Begin(BeginOf("b-2", "r"), kStart);
    CHECK((co_await STORE(bench).CancelBatch("acme", "b", kStart))->state == BatchState::kCancelling);
    CHECK((co_await STORE(bench).NextToFeed("openai", Room(10), kStart))->jobs.empty());
    CHECK((co_await STORE(bench).Begin(BeginOf("b-3", "r"), kStart))->begun.verdict ==
          BeginVerdict::kCancelled);
    auto ended = co_await STORE(bench).EndLines(3, kStart);
    CHECK(ended->lines == 3);
    REQUIRE(ended->aborted.size() == 1);
    CHECK(ended->aborted[0].job == "b-2");
    CHECK((co_await STORE(bench).EndLines(3, kStart))->lines == 1);
    CHECK((co_await STORE(bench).EndLines(3, kStart))->lines == 0);
    const auto batch = co_await STORE(bench).CancelBatch("acme", "b", kStart);
    CHECK(batch->state == BatchState::kCancelled);
    CHECK(batch->counts.completed == 1);
    CHECK(batch->counts.failed == 4);
    CHECK(batch->counts.running == 0);
    contract::ReadLines read;
    read.batch = "b";
    read.which = contract::ReadLines::Which::kFailed;
    const auto lines = co_await STORE(bench).ReadLines("acme", read);
    REQUIRE(lines->lines.size() == 4);
    CHECK(nlohmann::json::parse(lines->lines[0])["error"]["code"] == "batch_cancelled");
    co_await bench.Close();
  });
}

TEST_CASE("what is not finished when its time is over has expired; old batches go with all that is theirs") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    contract::BatchOptions brief;
    brief.completion_window = 1;
    co_await MakeSealed(bench, "b", 3, brief);
    (void)co_await STORE(bench).CreateBatch("acme", "never-sealed", {}, kStart);
    CHECK(*co_await STORE(bench).ExpireBatches(kStart + 999) == 0);
    CHECK(*co_await STORE(bench).ExpireBatches(kStart + 1'000) == 1);
    CHECK((co_await STORE(bench).FindBatch("acme", "b"))->state == BatchState::kFinalizing);
    CHECK((co_await STORE(bench).EndLines(10, kStart + 1'000))->lines == 3);
    const auto batch = co_await STORE(bench).FindBatch("acme", "b");
    CHECK(batch->state == BatchState::kExpired);
    CHECK(batch->counts.failed == 3);
    CHECK(*co_await STORE(bench).ExpireBatches(kStart + 24 * 60 * 60 * 1000) == 1);
    CHECK((co_await STORE(bench).FindBatch("acme", "never-sealed"))->state == BatchState::kExpired);
    contract::ListBatches ask;
    ask.limit = 1;
    auto list = co_await STORE(bench).ListBatches("acme", ask);
    CHECK(list->has_more);
    CHECK(list->batches.at(0).id == "never-sealed");
    ask.after = "never-sealed";
    CHECK((co_await STORE(bench).ListBatches("acme", ask))->batches.at(0).id == "b");
    CHECK((co_await STORE(bench).ListBatches("other", {}))->batches.empty());
    while (*co_await STORE(bench).Prune(kStart + 2'000, 2) > 0) continue;
    CHECK_FALSE((co_await STORE(bench).FindBatch("acme", "b")).ok());
    CHECK((co_await STORE(bench).FindBatch("acme", "never-sealed")).ok());
    co_await bench.Close();
  });
}

TEST_CASE(
    "an empty batch fails when it is sealed, one too long is refused, one being filled can be cancelled") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    (void)co_await STORE(bench).CreateBatch("acme", "empty", {}, kStart);
    const auto sealed = co_await STORE(bench).SealBatch("acme", "empty", kStart);
    CHECK(sealed->state == BatchState::kFailed);
    CHECK(sealed->errors.at(0).code == "empty_batch");
    (void)co_await STORE(bench).CreateBatch("acme", "long", {}, kStart);
    const auto lines = co_await STORE(bench).AppendLines("acme", LinesFrom("long", 1, 50'001), kStart);
    CHECK(MessageOf(lines.status()).find("at most 50000 lines") != std::string_view::npos);
    CHECK((co_await STORE(bench).CancelBatch("acme", "long", kStart))->state == BatchState::kCancelled);
    CHECK_FALSE((co_await STORE(bench).AppendLines("acme", LinesFrom("long", 1, 1), kStart)).ok());
    co_await bench.Close();
  });
}

}  // namespace
}  // namespace llm_router
