#include "router/store/sqlite_store.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "broker_adapters/base/commit_thread.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_repair.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/store/batch_steps.h"
#include "router/store/feed_steps.h"
#include "router/store/figure_steps.h"
#include "router/store/file_steps.h"
#include "router/store/job_steps.h"
#include "router/store/journal_steps.h"
#include "router/store/line_steps.h"
#include "router/store/outbox_table.h"
#include "router/store/prune_steps.h"
#include "router/store/sqlite_schema.h"
#include "router/store/store_check.h"
#include "router/store/store_salvage.h"
#include "router/store/store_sql.h"

namespace llm_router {
namespace {

using std::string;
constexpr const char* kFile = "jobs.sqlite";
constexpr size_t kOverhead = 512;  // bytes that a step writes beside a body, about
constexpr size_t kMostUncommitted = size_t{256} * 1024 * 1024;

class SqliteStore final : public Store {
 public:
  SqliteStore(Executor executor, const SqliteStoreOptions& options,
              std::unique_ptr<SQLite::Database> database)
      : executor_(executor),
        max_bytes_(options.max_bytes),
        commits_(executor, std::move(database), HooksOf(options)),
        sql_(commits_.database()) {}

  // ---- jobs ----

  Awaitable<absl::StatusOr<contract::Job>> Submit(NewJob job, int64_t now) override {
    const size_t bytes = job.body.size();
    return Write<contract::Job>(
        [job = std::move(job), now, most = max_bytes_](StoreSql& sql) -> absl::StatusOr<contract::Job> {
          RETURN_IF_ERROR(CheckRoom(sql, job.body.size(), most));
          return SubmitJobOnce(sql, job, now);
        },
        bytes);
  }
  Awaitable<absl::StatusOr<contract::Job>> Find(string tenant, string job, bool with_reply) override {
    return Write<contract::Job>([tenant = std::move(tenant), job = std::move(job), with_reply](
                                    StoreSql& sql) { return FindJob(sql, tenant, job, with_reply); });
  }
  Awaitable<absl::StatusOr<contract::JobPage>> List(string tenant, contract::ListJobs ask) override {
    return Write<contract::JobPage>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return ListJobsOf(sql, tenant, ask);
    });
  }
  Awaitable<absl::StatusOr<CancelAnswer>> Cancel(string tenant, string job, int64_t now) override {
    return Write<CancelAnswer>([tenant = std::move(tenant), job = std::move(job), now](StoreSql& sql) {
      return CancelJob(sql, tenant, job, now);
    });
  }
  Awaitable<absl::StatusOr<contract::Job>> Retry(string tenant, string job, int64_t now) override {
    return Write<contract::Job>([tenant = std::move(tenant), job = std::move(job), now](StoreSql& sql) {
      return RetryJob(sql, tenant, job, now);
    });
  }

  // ---- the journal ----

  Awaitable<absl::StatusOr<BeginAnswer>> Begin(BeginRun begin, int64_t now) override {
    return Write<BeginAnswer>(
        [begin = std::move(begin), now](StoreSql& sql) { return BeginARun(sql, begin, now); });
  }
  Awaitable<absl::StatusOr<contract::FinishVerdict>> Finish(FinishRun finish, int64_t now) override {
    const size_t bytes = finish.ask.reply.body.size();
    return Write<contract::FinishVerdict>(
        [finish = std::move(finish), now](StoreSql& sql) { return FinishARun(sql, finish, now); }, bytes);
  }
  Awaitable<absl::StatusOr<std::vector<string>>> RunningWorkers() override {
    return Write<std::vector<string>>([](StoreSql& sql) { return WorkersWithRuns(sql); });
  }
  Awaitable<absl::StatusOr<int64_t>> RequeueRunsOf(string worker, JobPolicies policies, int64_t most,
                                                   int64_t now) override {
    return Write<int64_t>([worker = std::move(worker), policies = std::move(policies), most,
                           now](StoreSql& sql) { return RequeueRuns(sql, worker, policies, most, now); });
  }
  Awaitable<absl::StatusOr<int64_t>> FailOverdue(int64_t most, int64_t now) override {
    return Write<int64_t>([most, now](StoreSql& sql) { return FailOverdueJobs(sql, most, now); });
  }

  // ---- the feeder ----

  Awaitable<absl::StatusOr<std::vector<RouteCount>>> Counts() override {
    return Write<std::vector<RouteCount>>([](StoreSql& sql) { return CountRoutes(sql); });
  }
  Awaitable<absl::StatusOr<StoreFigures>> Figures() override {
    return Write<StoreFigures>([](StoreSql& sql) { return ReadFigures(sql); });
  }
  Awaitable<absl::StatusOr<FeedPage>> NextToFeed(string route, FeedLimits limits, int64_t now) override {
    return Write<FeedPage>([route = std::move(route), limits, now](StoreSql& sql) {
      return PickToFeed(sql, route, limits, now);
    });
  }
  Awaitable<absl::Status> MarkFed(std::vector<FeedJob> jobs) override {
    return Change([jobs = std::move(jobs)](StoreSql& sql) { MarkAsFed(sql, jobs, 0); });
  }
  Awaitable<absl::Status> FailUnfed(FeedJob job, absl::Status why, int64_t now) override {
    return Change([job = std::move(job), why = std::move(why), now](StoreSql& sql) {
      FailRefused(sql, job, why, now);
    });
  }
  Awaitable<absl::StatusOr<int64_t>> Refeed(string route, int64_t most) override {
    return Write<int64_t>(
        [route = std::move(route), most](StoreSql& sql) { return FeedAgain(sql, route, most); });
  }

  // ---- the outbox ----

  Awaitable<absl::StatusOr<std::vector<OutboxItem>>> TakeOutbox(int64_t most, int64_t now) override {
    return Write<std::vector<OutboxItem>>([most, now](StoreSql& sql) { return OutboxDue(sql, most, now); });
  }
  Awaitable<absl::Status> MarkSent(std::vector<int64_t> rows) override {
    return Change([rows = std::move(rows)](StoreSql& sql) {
      for (const int64_t row : rows) TakeFromOutbox(sql, row);
    });
  }
  Awaitable<absl::Status> PutOff(int64_t row, int64_t attempts, int64_t due) override {
    return Change([row, attempts, due](StoreSql& sql) { PutOffInOutbox(sql, row, attempts, due); });
  }

  // ---- batches ----

  Awaitable<absl::StatusOr<contract::Batch>> CreateBatch(string tenant, string id, contract::CreateBatch ask,
                                                         int64_t now) override {
    return Write<contract::Batch>([tenant = std::move(tenant), id = std::move(id), ask = std::move(ask), now,
                                   most = max_bytes_](StoreSql& sql) -> absl::StatusOr<contract::Batch> {
      RETURN_IF_ERROR(CheckRoom(sql, 0, most));
      return MakeBatch(sql, tenant, id, ask, now);
    });
  }
  Awaitable<absl::StatusOr<contract::Appended>> AppendLines(string tenant, AppendedLines lines,
                                                            int64_t now) override {
    const auto bytes = static_cast<size_t>(lines.bytes);
    return Write<contract::Appended>(
        [tenant = std::move(tenant), lines = std::move(lines), now,
         most = max_bytes_](StoreSql& sql) -> absl::StatusOr<contract::Appended> {
          RETURN_IF_ERROR(CheckRoom(sql, static_cast<size_t>(lines.bytes), most));
          return AppendTo(sql, tenant, lines, now);
        },
        bytes);
  }
  Awaitable<absl::StatusOr<contract::Batch>> SealBatch(string tenant, string batch, int64_t now) override {
    return Write<contract::Batch>([tenant = std::move(tenant), batch = std::move(batch), now](StoreSql& sql) {
      return Seal(sql, tenant, batch, now);
    });
  }
  Awaitable<absl::StatusOr<contract::Batch>> FindBatch(string tenant, string batch) override {
    return Write<contract::Batch>([tenant = std::move(tenant), batch = std::move(batch)](StoreSql& sql) {
      return FindBatchOf(sql, tenant, batch);
    });
  }
  Awaitable<absl::StatusOr<contract::Batch>> CancelBatch(string tenant, string batch, int64_t now) override {
    return Write<contract::Batch>([tenant = std::move(tenant), batch = std::move(batch), now](StoreSql& sql) {
      return CancelBatchOf(sql, tenant, batch, now);
    });
  }
  Awaitable<absl::StatusOr<contract::BatchPage>> ListBatches(string tenant,
                                                             contract::ListBatches ask) override {
    return Write<contract::BatchPage>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return ListBatchesOf(sql, tenant, ask);
    });
  }
  Awaitable<absl::StatusOr<contract::LinePage>> ReadLines(string tenant, contract::ReadLines ask) override {
    return Write<contract::LinePage>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return LinesOver(sql, tenant, ask);
    });
  }
  Awaitable<absl::StatusOr<contract::ErrorPage>> ReadErrors(string tenant,
                                                            contract::ReadErrors ask) override {
    return Write<contract::ErrorPage>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return BadLines(sql, tenant, ask);
    });
  }
  Awaitable<absl::StatusOr<int64_t>> ExpireBatches(int64_t now) override {
    return Write<int64_t>([now](StoreSql& sql) { return ExpireBatchesDue(sql, now); });
  }
  Awaitable<absl::StatusOr<Ended>> EndLines(int64_t most, int64_t now) override {
    return Write<Ended>([most, now](StoreSql& sql) { return EndLinesOfEnding(sql, most, now); });
  }

  // ---- files ----

  Awaitable<absl::StatusOr<contract::File>> CreateFile(string tenant, contract::File file,
                                                       int64_t now) override {
    return Write<contract::File>([tenant = std::move(tenant), file = std::move(file), now,
                                  most = max_bytes_](StoreSql& sql) -> absl::StatusOr<contract::File> {
      RETURN_IF_ERROR(CheckRoom(sql, static_cast<size_t>(file.bytes), most));
      return MakeFile(sql, tenant, file, now);
    });
  }
  Awaitable<absl::StatusOr<contract::File>> AppendFile(string tenant, contract::AppendFile ask) override {
    const size_t bytes = ask.data.size();
    return Write<contract::File>(
        [tenant = std::move(tenant), ask = std::move(ask),
         most = max_bytes_](StoreSql& sql) -> absl::StatusOr<contract::File> {
          RETURN_IF_ERROR(CheckRoom(sql, ask.data.size(), most));
          return AppendToFile(sql, tenant, ask);
        },
        bytes);
  }
  Awaitable<absl::StatusOr<contract::File>> FindFile(string tenant, string file) override {
    return Write<contract::File>([tenant = std::move(tenant), file = std::move(file)](StoreSql& sql) {
      return FindFileOf(sql, tenant, file);
    });
  }
  Awaitable<absl::StatusOr<contract::FilePart>> ReadFile(string tenant, contract::ReadFile ask) override {
    return Write<contract::FilePart>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return ReadPart(sql, tenant, ask);
    });
  }
  Awaitable<absl::StatusOr<contract::File>> DeleteFile(string tenant, string file) override {
    return Write<contract::File>([tenant = std::move(tenant), file = std::move(file)](StoreSql& sql) {
      return EraseFileOf(sql, tenant, file);
    });
  }
  Awaitable<absl::StatusOr<contract::FilePage>> ListFiles(string tenant, contract::ListFiles ask) override {
    return Write<contract::FilePage>([tenant = std::move(tenant), ask = std::move(ask)](StoreSql& sql) {
      return ListFilesOf(sql, tenant, ask);
    });
  }

  // ---- upkeep ----

  Awaitable<absl::StatusOr<int64_t>> Prune(int64_t before, int64_t most) override {
    return Write<int64_t>([before, most](StoreSql& sql) { return PruneOld(sql, before, most); });
  }

  Awaitable<void> Stop() override {
    stopping_ = true;
    co_await commits_.Stop();
  }

 private:
  static CommitThread::Hooks HooksOf(const SqliteStoreOptions& options) {
    CommitThread::Hooks hooks;
    hooks.damaged = [path = options.folder / kFile] { MarkDamaged(path); };
    return hooks;
  }
  static absl::Status CheckRoom(StoreSql& sql, size_t bytes, uint64_t most) {
    if (static_cast<uint64_t>(sql.bytes()) + bytes <= most) return absl::OkStatus();
    return MakeFault(
        Fault::kOverloaded,
        fmt::format("the store of jobs holds {} bytes and may hold {}: wait until results are old enough "
                    "to go (jobs.keep_results), or raise limits.queue_bytes",
                    sql.bytes(), most));
  }

  // Runs `step` in a transaction. What it refuses is its result and changes nothing: it looks before it
  // writes.
  template <class Result, class Step>
  Awaitable<absl::StatusOr<Result>> Write(Step step, size_t bytes = 0) {
    if (stopping_) co_return MakeFault(Fault::kShuttingDown, "the jobs service is stopping: ask again");
    if (commits_.waiting_bytes() > 0 && commits_.waiting_bytes() + bytes > kMostUncommitted)
      co_return MakeFault(Fault::kOverloaded, "the disk does not keep up with what is sent: send again later",
                          Milliseconds(1'000));
    // Shared: what was begun is done although this coroutine is cancelled.
    const auto result = std::make_shared<std::optional<absl::StatusOr<Result>>>();
    const auto outcome = std::make_shared<OneShot<absl::Status>>(executor_);
    commits_.Submit(
        [sql = &sql_, result, step = std::move(step)] {
          result->emplace(step(*sql));
          return absl::OkStatus();
        },
        bytes + kOverhead, [outcome](const absl::Status& status) { outcome->Set(status); });
    const auto status = co_await outcome->Wait(TimePoint::max());
    if (!status) co_return MakeFault(Fault::kCancelled, "the caller went away");
    if (!status->ok())
      co_return MakeFault(Fault::kStorageFailed, fmt::format("jobs.sqlite: {}", MessageOf(*status)));
    co_return **std::move(result);
  }

  template <class Step>
  Awaitable<absl::Status> Change(Step step) {
    const auto done = co_await Write<bool>([step = std::move(step)](StoreSql& sql) {
      step(sql);
      return true;
    });
    co_return done.status();
  }

  const Executor executor_;
  const uint64_t max_bytes_;
  bool stopping_ = false;
  CommitThread commits_;
  StoreSql sql_;  // of the thread; ends before the file is closed
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(Executor executor, SqliteStoreOptions options) {
  RepairableFile opening(StoreModel());
  opening.path = options.folder / kFile;
  opening.vfs = options.vfs;
  opening.open = CheckStore;
  opening.salvage = SalvageStore;
  ASSIGN_OR_RETURN(auto database, OpenRepaired(opening));
  if (!options.synced) RETURN_IF_ERROR(TrySqlite([&] { database->exec("PRAGMA synchronous=OFF"); }));
  return std::make_unique<SqliteStore>(executor, options, std::move(database));
}

}  // namespace llm_router
