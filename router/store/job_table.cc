#include "router/store/job_table.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "proto/fault.h"
#include "router/store/batch_table.h"
#include "router/store/outbox_table.h"

namespace llm_router {
namespace {

using contract::JobState;

constexpr int64_t kMostFailures = 100;  // kept of one job

std::optional<JobRow> First(Rows rows) {
  if (!rows.Next()) return std::nullopt;
  KeptJobRow kept = ReadJobRow(rows.row());
  if (!kept.is_whole) ThrowDamage(fmt::format("the row of job number {} is damaged", kept.row.seq));
  return std::move(kept.row);
}

// What a row counts as.
JobCounts CountsOf(const JobRow& row) {
  JobCounts counts;
  counts.unfed = row.state == JobState::kQueued && !row.fed ? 1 : 0;
  counts.fed = !row.is_final() && row.fed ? 1 : 0;
  counts.running = row.state == JobState::kRunning ? 1 : 0;
  counts.completed = row.state == JobState::kCompleted ? 1 : 0;
  counts.failed = row.state == JobState::kFailed ? 1 : 0;
  counts.cancelled = row.state == JobState::kCancelled ? 1 : 0;
  return counts;
}

void Count(StoreSql& sql, const JobRow& row, const JobCounts& change) {
  if (change == JobCounts()) return;
  sql.Run(
      "INSERT INTO routes VALUES(?,?,?,?,?,?,?) ON CONFLICT(name) DO UPDATE SET unfed=unfed+excluded.unfed, "
      "fed=fed+excluded.fed, running=running+excluded.running, completed=completed+excluded.completed, "
      "failed=failed+excluded.failed, cancelled=cancelled+excluded.cancelled",
      row.route, change.unfed, change.fed, change.running, change.completed, change.failed, change.cancelled);
  if (row.batch > 0) CountInBatch(sql, row.batch, change);
}

void KeepResult(StoreSql& sql, const JobRow& row, bool failed, const ResultRecord& result) {
  const std::string record = Encode(result);
  sql.Run("INSERT INTO results(job, batch, failed, checksum, record) VALUES(?,?,?,?,?)", row.seq, row.batch,
          failed, ChecksumOf(row.id, record), Blob(record));
}

}  // namespace

std::optional<JobRow> JobById(StoreSql& sql, std::string_view id) {
  return First(Rows(sql, "SELECT " LLM_ROUTER_JOB_COLUMNS " FROM jobs WHERE id=?", id));
}

std::optional<JobRow> JobBySeq(StoreSql& sql, int64_t seq) {
  return First(Rows(sql, "SELECT " LLM_ROUTER_JOB_COLUMNS " FROM jobs WHERE seq=?", seq));
}

std::optional<JobRow> JobOfTenant(StoreSql& sql, std::string_view tenant, std::string_view which) {
  auto row = JobById(sql, which);
  if (row && row->tenant == tenant) return row;
  return First(Rows(sql,
                    "SELECT " LLM_ROUTER_JOB_COLUMNS
                    " FROM jobs INDEXED BY jobs_by_message WHERE has_message=1 AND tenant=? AND message_id=? "
                    "ORDER BY sent_at DESC LIMIT 1",
                    tenant, which));
}

void InsertJob(StoreSql& sql, JobRow& row, const QueryRecord& query) {
  WriteNew(sql, row);
  const std::string record = Encode(query);
  sql.Run("INSERT INTO bodies VALUES(?,?,?)", row.seq, ChecksumOf(row.id, record), Blob(record));
  Count(sql, row, CountsOf(row));
}

void SaveJob(StoreSql& sql, const JobRow& row, int64_t now) {
  JobRow before = row;
  if (Rows kept(sql, "SELECT state, fed FROM jobs WHERE seq=?", row.seq); kept.Next()) {
    before.state = JobStateOf(kept.Int(0));
    before.fed = kept.Int(1) != 0;
  }
  sql.Run(
      "UPDATE jobs SET state=?, fed=?, due=?, generation=?, started=?, finished=?, runs=?, run=?, worker=?, "
      "ended_run=?, verdict=?, checksum=? WHERE seq=?",
      static_cast<int>(row.state), row.fed, row.due, row.generation, row.started, row.finished, row.runs,
      row.run, row.worker, row.ended_run, row.verdict, ChecksumOf(row), row.seq);
  Count(sql, row, CountsOf(row) - CountsOf(before));
  if (row.batch > 0 && row.is_final()) CompleteBatch(sql, row.batch, now);
}

void EndJob(StoreSql& sql, JobRow row, JobState state, const ResultRecord& result, int64_t now) {
  row.state = state;
  row.fed = false;
  row.finished = now;
  KeepResult(sql, row, state != JobState::kCompleted, result);
  // The others' is there for a retry.
  if (state == JobState::kCompleted) sql.Run("DELETE FROM bodies WHERE job=?", row.seq);
  if (!row.reply_to.empty()) AddToOutbox(sql, row.seq, now);
  SaveJob(sql, row, now);
}

void QueueAgain(StoreSql& sql, JobRow row, int64_t due, int64_t now) {
  row.state = JobState::kQueued;
  row.fed = false;
  row.due = due;
  ++row.generation;
  SaveJob(sql, row, now);
}

uint32_t FailureChecksum(std::string_view job, int64_t at, std::string_view code, std::string_view message) {
  return ChecksumOf(job, fmt::format("{}\n{}\n{}", at, code, message));
}

void AddFailure(StoreSql& sql, const JobRow& row, std::string_view code, std::string_view message,
                int64_t now) {
  int64_t number = 1;
  if (Rows last(sql, "SELECT MAX(number) FROM failures WHERE job=?", row.seq); last.Next())
    number = last.Int(0) + 1;
  sql.Run("INSERT INTO failures VALUES(NULL,?,?,?,?,?,?)", row.seq, number, now, code, message,
          FailureChecksum(row.id, now, code, message));
  if (number > kMostFailures)
    sql.Run("DELETE FROM failures WHERE job=? AND number<=?", row.seq, number - kMostFailures);
}

void EraseJob(StoreSql& sql, const JobRow& row) {
  sql.Run("DELETE FROM bodies WHERE job=?", row.seq);
  sql.Run("DELETE FROM results WHERE job=?", row.seq);
  sql.Run("DELETE FROM failures WHERE job=?", row.seq);
  TakeFromOutbox(sql, row.seq);
  sql.Run("DELETE FROM jobs WHERE seq=?", row.seq);
  // Of those that are over the count goes on: it tells what was done.
  if (row.is_final()) return;
  Count(sql, row, JobCounts() - CountsOf(row));
}

std::optional<QueryRecord> ReadQuery(StoreSql& sql, const JobRow& row) {
  Rows rows(sql, "SELECT checksum, record FROM bodies WHERE job=?", row.seq);
  if (rows.Next()) {
    const std::string record = rows.Text(1);
    auto query = DecodeQuery(record);
    if (query.ok() && rows.Int(0) == ChecksumOf(row.id, record)) return *std::move(query);
  }
  log::Error("jobs.sqlite: the query of job {} is damaged on disk: the job fails", row.id);
  return std::nullopt;
}

ResultRecord ReadResult(StoreSql& sql, const JobRow& row) {
  Rows rows(sql, "SELECT checksum, record FROM results WHERE job=?", row.seq);
  if (rows.Next()) {
    const std::string record = rows.Text(1);
    auto result = DecodeResult(record);
    if (result.ok() && rows.Int(0) == ChecksumOf(row.id, record)) return *std::move(result);
  }
  log::Error("jobs.sqlite: the result of job {} is damaged on disk", row.id);
  return ResultRecord(llm_router::RowOf(Fault::kStorageFailed).name,
                      "the job's result is damaged on disk: submit the job again");
}

contract::Job ToJob(StoreSql& sql, const JobRow& row) {
  contract::Job job;
  job.id = row.id;
  job.route = row.route;
  job.state = row.state;
  job.message_id = row.message_id;
  job.line = row.line;
  job.created_at = row.created / 1000;
  job.started_at = row.started / 1000;
  job.finished_at = row.finished / 1000;
  job.runs = row.runs;
  if (row.batch > 0) job.batch = BatchId(sql, row.batch);
  for (Rows rows(sql, "SELECT at, code, message, checksum FROM failures WHERE job=? ORDER BY number",
                 row.seq);
       rows.Next();) {
    if (rows.Int(3) != FailureChecksum(row.id, rows.Int(0), rows.Text(1), rows.Text(2))) {
      log::Error("jobs.sqlite: why a run of job {} failed is damaged on disk", row.id);
      continue;
    }
    const Fault fault = FaultNamed(rows.Text(1)).value_or(Fault::kInternal);
    job.failures.emplace_back(rows.Int(0) / 1000, MakeFault(fault, rows.Text(2)));
  }
  return job;
}

}  // namespace llm_router
