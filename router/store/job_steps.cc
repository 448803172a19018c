#include "router/store/job_steps.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/store/job_table.h"
#include "router/store/outbox_table.h"

namespace llm_router {
namespace {

using contract::JobState;

constexpr int64_t kMostCounted = 100'000;  // for a position

std::optional<JobRow> KeptAlready(StoreSql& sql, const NewJob& job) {
  int64_t seq = 0;
  if (!job.idempotency_key.empty()) {
    Rows rows(sql, "SELECT seq FROM jobs WHERE idempotency_key<>'' AND tenant=? AND idempotency_key=?",
              job.tenant, job.idempotency_key);
    if (rows.Next()) seq = rows.Int(0);
  }
  if (seq == 0 && job.message_id) {
    Rows rows(sql,
              "SELECT seq FROM jobs INDEXED BY jobs_by_message WHERE has_message=1 AND tenant=? AND "
              "message_id=? AND sent_at=?",
              job.tenant, *job.message_id, job.sent_at);
    if (rows.Next()) seq = rows.Int(0);
  }
  return seq == 0 ? std::nullopt : JobBySeq(sql, seq);
}

int64_t CountOf(Rows rows) { return rows.Next() ? rows.Int(0) : 0; }

// Those in the route's queue, and those that are fed before it.
int64_t PositionOf(StoreSql& sql, const JobRow& row) {
  const int64_t in_queue = CountOf(
      Rows(sql,
           "SELECT COUNT(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_in_queue WHERE state=0 AND fed=1 AND "
           "route=? AND seq<? LIMIT ?)",
           row.route, row.seq, kMostCounted));
  if (row.fed) return in_queue;
  return in_queue + CountOf(Rows(sql,
                                 "SELECT COUNT(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_to_feed WHERE "
                                 "state=0 AND fed=0 AND route=? AND lane=? AND due=? AND seq<? LIMIT ?)",
                                 row.route, row.lane, row.due, row.seq, kMostCounted));
}

contract::Job Shown(StoreSql& sql, const JobRow& row) {
  contract::Job job = ToJob(sql, row);
  if (row.state == JobState::kQueued) job.position = PositionOf(sql, row);
  return job;
}

absl::StatusOr<JobRow> Known(StoreSql& sql, const std::string& tenant, const std::string& which) {
  auto row = JobOfTenant(sql, tenant, which);
  if (row) return *std::move(row);
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("there is no job \"{}\": those there are, `llm-router job list` shows; results "
                  "are kept for the time jobs.keep_results says",
                  Excerpt(which)));
}

// Each filter has an index of its own.
Rows ListedRows(StoreSql& sql, const std::string& tenant, const contract::ListJobs& ask, int64_t before) {
  const int64_t most = ask.limit + 1;
  const auto state = static_cast<int64_t>(ask.state.value_or(JobState::kQueued));
  if (ask.state && !ask.route.empty())
    return Rows(
        sql,
        "SELECT seq FROM jobs INDEXED BY jobs_listed_by_route WHERE batch=0 AND tenant=? AND route=? AND "
        "state=? AND seq<? ORDER BY seq DESC LIMIT ?",
        tenant, ask.route, state, before, most);
  if (ask.state)
    return Rows(
        sql,
        "SELECT seq FROM jobs INDEXED BY jobs_listed_by_state WHERE batch=0 AND tenant=? AND state=? AND "
        "seq<? ORDER BY seq DESC LIMIT ?",
        tenant, state, before, most);
  if (!ask.route.empty())
    return Rows(
        sql,
        "SELECT seq FROM jobs INDEXED BY jobs_of_route WHERE batch=0 AND tenant=? AND route=? AND seq<? "
        "ORDER BY seq DESC LIMIT ?",
        tenant, ask.route, before, most);
  return Rows(
      sql,
      "SELECT seq FROM jobs INDEXED BY jobs_listed WHERE batch=0 AND tenant=? AND seq<? ORDER BY seq DESC "
      "LIMIT ?",
      tenant, before, most);
}

}  // namespace

contract::Job SubmitJobOnce(StoreSql& sql, const NewJob& job, int64_t now) {
  if (const auto kept = KeptAlready(sql, job)) return Shown(sql, *kept);
  JobRow row;
  row.id = job.id;
  row.tenant = job.tenant;
  row.route = job.route;
  row.lane = job.interactive ? kSingleLane : kPatientLane;
  row.has_message = job.message_id.has_value();
  row.message_id = job.message_id.value_or("");
  row.sent_at = job.sent_at;
  row.idempotency_key = job.idempotency_key;
  row.deadline = job.deadline;
  row.reply_to = job.reply_to;
  row.created = now;
  InsertJob(sql, row, QueryRecord(job.body, job.tags));
  return Shown(sql, row);
}

absl::StatusOr<contract::Job> FindJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                      bool with_reply) {
  ASSIGN_OR_RETURN(const JobRow row, Known(sql, tenant, which));
  contract::Job job = Shown(sql, row);
  if (!with_reply || !row.is_final()) return job;
  ResultRecord result = ReadResult(sql, row);
  // One that is not as it was written is no result.
  if (row.state == JobState::kCompleted && !result.code.empty()) {
    job.state = JobState::kFailed;
    job.failures.emplace_back(row.finished / 1000, MakeFault(Fault::kStorageFailed, result.message));
  }
  job.reply = std::move(result.reply);
  return job;
}

contract::JobPage ListJobsOf(StoreSql& sql, const std::string& tenant, const contract::ListJobs& ask) {
  contract::JobPage page;
  int64_t before = INT64_MAX;
  if (!ask.after.empty()) {
    const auto after = JobOfTenant(sql, tenant, ask.after);
    if (!after) return page;
    before = after->seq;
  }
  std::vector<int64_t> found;
  for (Rows rows = ListedRows(sql, tenant, ask, before); rows.Next();) found.push_back(rows.Int(0));
  page.has_more = static_cast<int64_t>(found.size()) > ask.limit;
  if (page.has_more) found.pop_back();
  for (const int64_t seq : found) {
    if (const auto row = JobBySeq(sql, seq)) page.jobs.push_back(ToJob(sql, *row));
  }
  return page;
}

absl::StatusOr<CancelAnswer> CancelJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                       int64_t now) {
  ASSIGN_OR_RETURN(const JobRow row, Known(sql, tenant, which));
  CancelAnswer answer;
  if (!row.is_final()) {
    if (row.state == JobState::kRunning) {
      Aborted& aborted = answer.aborted.emplace();
      aborted.job = row.id;
      aborted.tenant = row.tenant;
      aborted.worker = row.worker;
    }
    const bool is_line = row.batch > 0;
    EndJob(sql, row, JobState::kCancelled,
           ResultRecord(is_line ? "batch_cancelled" : RowOf(Fault::kCancelled).name, "the job was cancelled"),
           now);
  }
  answer.job = ToJob(sql, *JobBySeq(sql, row.seq));
  return answer;
}

absl::StatusOr<contract::Job> RetryJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                       int64_t now) {
  ASSIGN_OR_RETURN(JobRow row, Known(sql, tenant, which));
  if (!row.is_final()) return Shown(sql, row);
  if (row.batch > 0)
    return MakeFault(
        Fault::kInvalidRequest,
        "the job is a line of a batch, whose results stand: submit its query as a job, or in another batch");
  if (row.state == JobState::kCompleted)
    return MakeFault(Fault::kInvalidRequest, "the job has its result: submit its query again for another");
  if (row.deadline > 0 && row.deadline <= now)
    return MakeFault(Fault::kInvalidRequest,
                     "the job's deadline has passed: submit its query again with another");
  sql.Run("DELETE FROM results WHERE job=?", row.seq);
  TakeFromOutbox(sql, row.seq);
  row.runs = 0;
  row.finished = 0;
  row.verdict = 0;
  row.run.clear();
  QueueAgain(sql, row, 0, now);
  return Shown(sql, *JobBySeq(sql, row.seq));
}

}  // namespace llm_router
