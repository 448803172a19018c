// Bits of the store's file that turn around, and files that end too early: what is left is served, nothing
// else, and every start succeeds.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "broker_adapters/base/sqlite_repair.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/hurt_file.h"
#include "tests/support/run.h"
#include "tests/unit/store/store_bench.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;
using namespace test;
using contract::BatchState;
using contract::JobState;

constexpr int kPlaces = 100;  // a file
// So many that they take more room than the tables of an empty file, which lie first.
constexpr int kJobs = 160;
constexpr int kLines = 240;
constexpr int kDone = 120;  // of the lines
constexpr const char* kFile = "jobs.sqlite";

std::unique_ptr<Store> Open(Loop& loop, const fs::path& folder) {
  SqliteStoreOptions options;
  options.folder = folder;
  auto store = OpenSqliteStore(loop.executor(), options);
  if (!store.ok()) FAIL(store.status().ToString());
  return *std::move(store);
}

std::string BodyOf(const std::string& job) {
  return fmt::format("prompt of {} {}", job, std::string(300, 'x'));
}

std::string LineId(int line) { return fmt::format("line-{}", line); }

// Fills `folder`, and keeps a copy of its files as they lie while the store is open, WAL and all.
Awaitable<void> Fill(Loop& loop, const fs::path& folder, const fs::path& open_copy) {
  const auto store = Open(loop, folder);
  for (int i = 0; i < kJobs; ++i) {
    NewJob job = JobOf(fmt::format("job-{}", i));
    job.body = BodyOf(job.id);
    job.idempotency_key = job.id;
    CHECK((co_await store->Submit(std::move(job), kStart)).ok());
  }
  CHECK((co_await store->CreateBatch("acme", "batch", {}, kStart)).ok());
  AppendedLines lines;
  lines.batch = "batch";
  lines.first_line = 1;
  for (int i = 1; i <= kLines; ++i) {
    LineQuery line;
    line.job = LineId(i);
    line.custom_id = fmt::format("c{}", i);
    line.route = "openai";
    line.body = BodyOf(line.job);
    lines.lines.emplace_back(std::move(line));
  }
  CHECK((co_await store->AppendLines("acme", std::move(lines), kStart)).ok());
  CHECK((co_await store->SealBatch("acme", "batch", kStart)).ok());
  for (int i = 1; i <= kDone; ++i) {
    CHECK((co_await store->Begin(BeginOf(LineId(i), "run-of-" + LineId(i)), kStart)).ok());
    CHECK((co_await store->Finish(FinishOf(LineId(i), "run-of-" + LineId(i)), kStart)).ok());
  }
  fs::copy(folder, open_copy);
  co_await store->Stop();
}

struct Seen {
  int right = 0;
  int wrong = 0;
  bool failed = false;
};

Awaitable<void> LookAtJobs(Store& store, Seen& seen) {
  for (int i = 0; i < kJobs; ++i) {
    const std::string id = fmt::format("job-{}", i);
    const auto job = co_await store.Find("acme", id, false);
    if (!job.ok()) {
      seen.failed |= FaultOf(job.status()) != Fault::kInvalidRequest;
      continue;
    }
    // Whose query is lost fails, and says so.
    const bool is_right = job->id == id && job->route == "openai";
    ++(is_right ? seen.right : seen.wrong);
    if (job->state == JobState::kFailed) --seen.right;
  }
}

Awaitable<void> LookAtResults(Store& store, Seen& seen) {
  contract::ReadLines ask;
  ask.batch = "batch";
  ask.limit = 1'000;
  const auto page = co_await store.ReadLines("acme", ask);
  if (!page.ok()) {
    seen.failed |= FaultOf(page.status()) != Fault::kInvalidRequest;
    co_return;
  }
  for (const std::string& line : page->lines) {
    const auto row = contract::Json::parse(line);
    const std::string custom_id = row.value("custom_id", "");
    const std::string id = "line-" + custom_id.substr(1);
    // What is lost says so.
    const bool is_lost = !row["error"].is_null();
    const bool is_right =
        row.value("id", "") == id && (is_lost || row["response"]["body"]["of"] == "run-of-" + id);
    ++(is_right ? seen.right : seen.wrong);
    seen.right -= is_right && is_lost ? 1 : 0;
  }
}

Awaitable<void> LookAtQueries(Store& store, Seen& seen) {
  const auto page = co_await store.NextToFeed("openai", Room(1'000), kStart);
  seen.failed |= !page.ok();
  if (!page.ok()) co_return;
  for (const FeedJob& job : page->jobs) {
    const bool is_right = job.body == BodyOf(job.id) && job.tenant == "acme";
    ++(is_right ? seen.right : seen.wrong);
  }
}

Awaitable<Seen> Look(Store& store) {
  Seen seen;
  co_await LookAtResults(store, seen);
  co_await LookAtQueries(store, seen);
  co_await LookAtJobs(store, seen);
  co_return seen;
}

constexpr int kAll = kJobs + kJobs + kLines - kDone + kDone;

Awaitable<int64_t> HurtAll(Loop& loop, const fs::path& whole, const std::string& file, unsigned seed) {
  std::mt19937 random(seed);
  int64_t served = 0;
  for (int place = 0; place < kPlaces; ++place) {
    INFO("seed " << seed << " place " << place);
    const TemporaryFolder folder;
    fs::copy(whole, folder.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const Hurt hurt = HurtFile(folder.path() / file, random);
    auto store = Open(loop, folder.path());
    // In use it may show that it is damaged; that is mended by the next start.
    REQUIRE((co_await Look(*store)).wrong == 0);
    co_await store->Stop();
    store.reset();
    store = Open(loop, folder.path());
    const Seen seen = co_await Look(*store);
    REQUIRE(seen.wrong == 0);
    REQUIRE_FALSE(seen.failed);
    // A bit costs what stands on one page at most; of a WAL it costs what was done after it.
    if (file == kFile && hurt == Hurt::kBit) REQUIRE(seen.right >= kAll * 9 / 10);
    served += seen.right;
    REQUIRE((co_await store->Submit(JobOf("after"), kStart)).ok());
    REQUIRE((co_await store->Find("acme", "after", false)).ok());
    co_await store->Stop();
  }
  co_return served;
}

TEST_CASE(
    "a damaged file never serves a wrong job or result, keeps what can be read, and never stops a start") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    co_await Fill(loop, folder.path() / "closed", folder.path() / "open");
    const int64_t all = int64_t{kPlaces} * kAll;
    CHECK(co_await HurtAll(loop, folder.path() / "closed", kFile, 1) > all * 3 / 4);
    // A WAL ends at the first place that is damaged: what was done after it is undone.
    CHECK(co_await HurtAll(loop, folder.path() / "open", std::string(kFile) + "-wal", 2) > all / 5);
  });
}

TEST_CASE("a repair keeps jobs, lines and results, and sets the damaged file aside") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    co_await Fill(loop, folder.path() / "s", folder.path() / "open");
    MarkDamaged(folder.path() / "s" / kFile);
    auto store = Open(loop, folder.path() / "s");
    CHECK(CountSetAside(folder.path() / "s") == 1);
    CHECK((co_await Look(*store)).right == kAll);
    const auto batch = co_await store->FindBatch("acme", "batch");
    REQUIRE(batch.ok());
    CHECK(batch->state == BatchState::kInProgress);
    CHECK(batch->counts.total == kLines);
    CHECK(batch->counts.completed == kDone);
    CHECK(batch->errors.empty());
    co_await store->Stop();
  });
}

TEST_CASE("a batch that lost lines says so, a line that lost its result has failed, and the batch ends") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    co_await Fill(loop, folder.path() / "s", folder.path() / "open");
    {
      SQLite::Database file((folder.path() / "s" / kFile).string(), SQLite::OPEN_READWRITE);
      file.exec(fmt::format("UPDATE jobs SET custom_id='other' WHERE id='{}'", LineId(kDone + 40)));
      file.exec("DELETE FROM results WHERE job=(SELECT seq FROM jobs WHERE id='line-1')");
    }
    auto store = Open(loop, folder.path() / "s");
    auto batch = co_await store->FindBatch("acme", "batch");
    REQUIRE(batch.ok());
    CHECK(batch->counts.total == kLines - 1);
    CHECK(batch->counts.completed == kDone - 1);
    CHECK(batch->counts.failed == 1);
    REQUIRE(batch->errors.size() == 1);
    CHECK(batch->errors[0].message.find("submit those without a result again") != std::string::npos);
    for (int i = kDone + 1; i <= kLines; ++i) {
      (void)co_await store->Begin(BeginOf(LineId(i), "r"), kStart);
      (void)co_await store->Finish(FinishOf(LineId(i), "r"), kStart);
    }
    batch = co_await store->FindBatch("acme", "batch");
    CHECK(batch->state == BatchState::kCompleted);
    co_await store->Stop();
  });
}

TEST_CASE("why runs failed, and what is wrong with lines, is served as it was kept or not at all") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto store = Open(loop, folder.path());
    for (const char* job : {"whole", "hurt"}) {
      CHECK((co_await store->Submit(JobOf(job), kStart)).ok());
      CHECK((co_await store->Begin(BeginOf(job, "r"), kStart)).ok());
      const absl::Status failed = MakeFault(Fault::kProviderFailed, "it broke");
      CHECK((co_await store->Finish(FinishOf(job, "r", contract::Outcome::kFailed, failed), kStart)).ok());
    }
    CHECK((co_await store->CreateBatch("acme", "batch", {}, kStart)).ok());
    AppendedLines lines;
    lines.batch = "batch";
    lines.first_line = 1;
    for (const int64_t line : {1, 2, 3, 4}) {
      contract::BatchError error;
      error.line = line;
      error.message = "it is no JSON";
      lines.lines.emplace_back(std::move(error));
    }
    CHECK((co_await store->AppendLines("acme", std::move(lines), kStart)).ok());
    co_await store->Stop();
    store.reset();
    {
      SQLite::Database file((folder.path() / kFile).string(), SQLite::OPEN_READWRITE);
      file.exec("UPDATE failures SET message='it is fine' WHERE job=(SELECT seq FROM jobs WHERE id='hurt')");
      file.exec("UPDATE batch_errors SET message='it is fine' WHERE line=2");
    }
    store = Open(loop, folder.path());
    CHECK((co_await store->Find("acme", "whole", false))->failures.size() == 1);
    CHECK((co_await store->Find("acme", "hurt", false))->failures.empty());
    const auto batch = co_await store->FindBatch("acme", "batch");
    REQUIRE(batch->errors.size() == 3);
    CHECK(batch->errors[1].line == 3);
    // A page is as long as without the damage.
    contract::ReadErrors ask;
    ask.batch = "batch";
    ask.limit = 2;
    const auto page = co_await store->ReadErrors("acme", ask);
    REQUIRE(page.ok());
    REQUIRE(page->errors.size() == 2);
    CHECK(page->errors[1].line == 3);
    CHECK(page->has_more);
    co_await store->Stop();
  });
}

TEST_CASE("a store's file that is none, or ends within its first page, is set aside") {
  Run([](Loop& loop) -> Awaitable<void> {
    for (const std::string& bytes :
         {std::string(1, 'S'), std::string(2'048, '\0'), std::string(10'000, '?')}) {
      const TemporaryFolder folder;
      std::ofstream(folder.path() / kFile) << bytes;
      auto store = Open(loop, folder.path());
      CHECK(CountSetAside(folder.path()) == 1);
      CHECK((co_await store->Submit(JobOf("j"), kStart)).ok());
      co_await store->Stop();
    }
  });
}

}  // namespace
}  // namespace llm_router
