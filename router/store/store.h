// Store: the port through which the jobs service keeps what must not be lost: jobs, their runs and results,
// batches.
//
// Every call is one atomic step: on return it is on disk, or an error says that nothing of it happened. Calls
// are done in the order they were made. Each may be repeated. Owned by the composition root, used by the jobs
// service alone; all calls on the loop thread. What a caller may see is kept apart by tenant. Times are Unix
// milliseconds, given, not asked. Errors carry a Fault: storage_failed when the disk can't keep it,
// overloaded when there is no room, invalid_request for what is not there or can't be done to it. A record
// whose checksum does not hold is never served: its job fails with storage_failed and says so. `co_await
// Stop()` before destruction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/tags.h"
#include "proto/batch.h"
#include "proto/file.h"
#include "proto/job.h"
#include "proto/journal.h"
#include "router/store/store_figures.h"

namespace llm_router {

// What the settings say about the jobs of a route.
struct JobPolicy {
  bool at_most_once = false;
  int64_t runs = 5;  // that may end without a result
};
struct JobPolicies {
  JobPolicies() = default;

  std::map<std::string, JobPolicy, std::less<>> routes;
  JobPolicy others;

  const JobPolicy& Of(std::string_view route) const {
    const auto found = routes.find(route);
    return found == routes.end() ? others : found->second;
  }
};

struct NewJob {
  NewJob() = default;

  std::string id;
  std::string tenant;
  std::string route;
  std::string body;
  Tags tags;
  std::string idempotency_key;  // the tenant's; empty: none
  // Of one that a stranger's client put into the queue: with the tenant they tell a message from another.
  std::optional<std::string> message_id;
  int64_t sent_at = 0;  // Unix ns
  std::string reply_to;
  int64_t deadline = 0;  // 0: none
  bool interactive = true;
};

struct BeginRun {
  BeginRun() = default;

  contract::Begin ask;  // of a job that is known here
  JobPolicy policy;
  std::string dead_run;  // a run that is known to be dead: this one may take its place
};
struct BeginAnswer {
  BeginAnswer() = default;

  contract::Begun begun;
  // kBusy with a run that lives, as far as the store can tell: which, and whose.
  std::string run;
  std::string worker;
};

struct FinishRun {
  FinishRun() = default;

  contract::Finish ask;
  JobPolicies policies;
  double jitter = 1;  // 0 to 1: how much of the longest backoff to wait
};

// A job that was ended while a worker had it.
struct Aborted {
  Aborted() = default;

  std::string job;
  std::string tenant;
  std::string worker;
};
struct CancelAnswer {
  CancelAnswer() = default;

  contract::Job job;
  std::optional<Aborted> aborted;
};

struct FeedLimits {
  FeedLimits() = default;

  int64_t room = 0;  // jobs, at most
  // Where the turns of a route's batches stand; the caller keeps it.
  int64_t last_lane = 0;
  int64_t singles_in_a_row = 0;
};
// A job to be put into its route's queue. `row` and `generation` are for MarkFed.
struct FeedJob {
  FeedJob() = default;

  int64_t row = 0;
  int64_t generation = 0;
  std::string id;
  std::string tenant;
  std::string body;
  Tags tags;
  int64_t deadline = 0;
  bool interactive = true;
};
struct FeedPage {
  FeedPage() = default;

  std::vector<FeedJob> jobs;
  int64_t last_lane = 0;
  int64_t singles_in_a_row = 0;
  bool damaged = false;  // some could not be read and failed: there may be more
};

// A route's jobs by state.
struct RouteCount {
  RouteCount() = default;

  std::string route;
  int64_t unfed = 0;  // rest here
  int64_t fed = 0;    // in the queue or at a worker
  int64_t running = 0;
  int64_t completed = 0;  // these three since the store was made, but for what was tried again
  int64_t failed = 0;
  int64_t cancelled = 0;
};

// A result that is to be sent to a queue.
struct OutboxItem {
  OutboxItem() = default;

  int64_t row = 0;
  std::string job;
  std::string tenant;
  std::string queue;
  int64_t attempts = 0;
  contract::JobReply reply;
};

// A line that is appended to a batch: a query, what is wrong with it, or nothing (blank: it only counts).
struct LineQuery {
  LineQuery() = default;

  std::string job;  // its id
  std::string custom_id;
  std::string route;
  std::string body;
  Tags tags;
};
struct AppendedLines {
  AppendedLines() = default;

  std::string batch;
  int64_t first_line = 1;
  std::vector<std::variant<std::monostate, LineQuery, contract::BatchError>> lines;
  int64_t bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // ---- jobs ----

  // The job as it is now: that of before, when it was kept already (idempotency key, or message id and time).
  virtual Awaitable<absl::StatusOr<contract::Job>> Submit(NewJob job, int64_t now) = 0;
  // `job`: an id, or the MessageID that it was sent with. With its reply, when asked and final.
  virtual Awaitable<absl::StatusOr<contract::Job>> Find(std::string tenant, std::string job,
                                                        bool with_reply) = 0;
  virtual Awaitable<absl::StatusOr<contract::JobPage>> List(std::string tenant, contract::ListJobs ask) = 0;
  // One that is final stays as it is.
  virtual Awaitable<absl::StatusOr<CancelAnswer>> Cancel(std::string tenant, std::string job,
                                                         int64_t now) = 0;
  // Queues a failed or cancelled one again, with all its runs before it.
  virtual Awaitable<absl::StatusOr<contract::Job>> Retry(std::string tenant, std::string job,
                                                         int64_t now) = 0;

  // ---- the journal ----

  virtual Awaitable<absl::StatusOr<BeginAnswer>> Begin(BeginRun begin, int64_t now) = 0;
  virtual Awaitable<absl::StatusOr<contract::FinishVerdict>> Finish(FinishRun finish, int64_t now) = 0;
  // Those that have running jobs.
  virtual Awaitable<absl::StatusOr<std::vector<std::string>>> RunningWorkers() = 0;
  // Ends up to `most` runs of a worker that is dead: their jobs are queued again or have failed; how many.
  virtual Awaitable<absl::StatusOr<int64_t>> RequeueRunsOf(std::string worker, JobPolicies policies,
                                                           int64_t most, int64_t now) = 0;
  // Fails up to `most` queued jobs whose deadline passed; how many.
  virtual Awaitable<absl::StatusOr<int64_t>> FailOverdue(int64_t most, int64_t now) = 0;

  // ---- the feeder ----

  virtual Awaitable<absl::StatusOr<std::vector<RouteCount>>> Counts() = 0;
  // Single jobs first, three of four while a batch has some too; batches in turn, each within its own limits.
  virtual Awaitable<absl::StatusOr<FeedPage>> NextToFeed(std::string route, FeedLimits limits,
                                                         int64_t now) = 0;
  // They lie in the queue. One that was queued again since it was read is passed over.
  virtual Awaitable<absl::Status> MarkFed(std::vector<FeedJob> jobs) = 0;
  // The queue refuses it for good: it fails with `why`.
  virtual Awaitable<absl::Status> FailUnfed(FeedJob job, absl::Status why, int64_t now) = 0;
  // The route's queue is empty: what was fed and not begun is to be fed again; how many (at most `most`).
  virtual Awaitable<absl::StatusOr<int64_t>> Refeed(std::string route, int64_t most) = 0;

  // ---- the outbox ----

  virtual Awaitable<absl::StatusOr<std::vector<OutboxItem>>> TakeOutbox(int64_t most, int64_t now) = 0;
  virtual Awaitable<absl::Status> MarkSent(std::vector<int64_t> rows) = 0;
  // Was not sent, after `attempts` tries: again at `due`.
  virtual Awaitable<absl::Status> PutOff(int64_t row, int64_t attempts, int64_t due) = 0;

  // ---- batches ----

  // `id` is that of a new one: none is made where the tenant has one of the same idempotency key.
  virtual Awaitable<absl::StatusOr<contract::Batch>> CreateBatch(std::string tenant, std::string id,
                                                                 contract::CreateBatch ask, int64_t now) = 0;
  // Lines that are there already are passed over; a gap is refused. Finds custom_ids that came before.
  virtual Awaitable<absl::StatusOr<contract::Appended>> AppendLines(std::string tenant, AppendedLines lines,
                                                                    int64_t now) = 0;
  virtual Awaitable<absl::StatusOr<contract::Batch>> SealBatch(std::string tenant, std::string batch,
                                                               int64_t now) = 0;
  virtual Awaitable<absl::StatusOr<contract::Batch>> FindBatch(std::string tenant, std::string batch) = 0;
  // Nothing of it starts from now on; EndLines does the rest.
  virtual Awaitable<absl::StatusOr<contract::Batch>> CancelBatch(std::string tenant, std::string batch,
                                                                 int64_t now) = 0;
  virtual Awaitable<absl::StatusOr<contract::BatchPage>> ListBatches(std::string tenant,
                                                                     contract::ListBatches ask) = 0;
  virtual Awaitable<absl::StatusOr<contract::LinePage>> ReadLines(std::string tenant,
                                                                  contract::ReadLines ask) = 0;
  virtual Awaitable<absl::StatusOr<contract::ErrorPage>> ReadErrors(std::string tenant,
                                                                    contract::ReadErrors ask) = 0;
  // Batches whose time has passed expire: nothing of them starts any more; how many.
  virtual Awaitable<absl::StatusOr<int64_t>> ExpireBatches(int64_t now) = 0;
  // Ends up to `most` lines of batches that were cancelled or expired.
  struct Ended {
    Ended() = default;

    int64_t lines = 0;  // 0: there is nothing to end
    std::vector<Aborted> aborted;
  };
  virtual Awaitable<absl::StatusOr<Ended>> EndLines(int64_t most, int64_t now) = 0;

  // ---- files ----

  // `file`: with its id and what its maker says of it.
  virtual Awaitable<absl::StatusOr<contract::File>> CreateFile(std::string tenant, contract::File file,
                                                               int64_t now) = 0;
  virtual Awaitable<absl::StatusOr<contract::File>> AppendFile(std::string tenant,
                                                               contract::AppendFile ask) = 0;
  virtual Awaitable<absl::StatusOr<contract::File>> FindFile(std::string tenant, std::string file) = 0;
  virtual Awaitable<absl::StatusOr<contract::FilePart>> ReadFile(std::string tenant,
                                                                 contract::ReadFile ask) = 0;
  // The file as it was.
  virtual Awaitable<absl::StatusOr<contract::File>> DeleteFile(std::string tenant, std::string file) = 0;
  virtual Awaitable<absl::StatusOr<contract::FilePage>> ListFiles(std::string tenant,
                                                                  contract::ListFiles ask) = 0;

  // ---- metrics ----

  virtual Awaitable<absl::StatusOr<StoreFigures>> Figures() = 0;

  // ---- upkeep ----

  // Forgets up to `most` jobs that were over before `before`, files that were made before it, and lines of
  // batches that were over or never ran; how many.
  virtual Awaitable<absl::StatusOr<int64_t>> Prune(int64_t before, int64_t most) = 0;

  // Does what was asked, then ends.
  virtual Awaitable<void> Stop() = 0;
};

}  // namespace llm_router
