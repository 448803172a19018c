#include "router/store/batch_steps.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/store/batch_errors.h"
#include "router/store/batch_table.h"
#include "router/store/job_table.h"

namespace llm_router {
namespace {

using contract::BatchState;
using contract::JobState;

constexpr int64_t kMostValidating = int64_t{24} * 60 * 60 * 1'000;  // ms, until it is sealed

contract::Batch Shown(StoreSql& sql, BatchRow row) {
  row.batch.errors = ErrorsOf(sql, row.seq, 0, contract::kMostBatchErrorsListed);
  return std::move(row.batch);
}

contract::Batch ShownBySeq(StoreSql& sql, int64_t seq) { return Shown(sql, *BatchBySeq(sql, seq)); }

int64_t AtOnce(const contract::BatchOptions& options) {
  if (options.batch_size == 0) return options.concurrency;
  if (options.concurrency == 0) return options.batch_size;
  return std::min(options.batch_size, options.concurrency);
}

int Number(BatchState state) { return static_cast<int>(state); }

// The batch that an equal question made; 0: none.
int64_t BatchWithKey(StoreSql& sql, const std::string& tenant, const std::string& key) {
  if (key.empty()) return 0;
  Rows rows(sql, "SELECT seq FROM batches WHERE idempotency_key<>'' AND tenant=? AND idempotency_key=?",
            tenant, key);
  return rows.Next() ? rows.Int(0) : 0;
}

// Its lines stand in the way of nobody, and go bit by bit (Prune).
void FailUnsealed(StoreSql& sql, int64_t seq, int64_t now) {
  sql.Run("UPDATE batches SET state=?, failed_at=?2, ended=?2, dropping=1 WHERE seq=?3",
          Number(BatchState::kFailed), now, seq);
}

}  // namespace

contract::Batch MakeBatch(StoreSql& sql, const std::string& tenant, const std::string& id,
                          const contract::CreateBatch& ask, int64_t now) {
  if (const int64_t kept = BatchWithKey(sql, tenant, ask.idempotency_key)) return ShownBySeq(sql, kept);
  contract::CreateBatch question;
  question.options = ask.options;
  const std::string options = ToJson(question);
  const int64_t at_once = AtOnce(ask.options);
  sql.Run("INSERT INTO batches VALUES(NULL,?,?,?,?,?,1,0, 0,0,0,0,0,0, 0,0,0, ?,0,?, 0,0,0,0,0,0, ?,?)", id,
          tenant, Number(BatchState::kValidating), options, at_once, now, now + kMostValidating,
          ask.idempotency_key, BatchChecksum(id, tenant, options, at_once, ask.idempotency_key));
  return ShownBySeq(sql, sql.last_row());
}

absl::StatusOr<contract::Batch> FindBatchOf(StoreSql& sql, const std::string& tenant, const std::string& id) {
  ASSIGN_OR_RETURN(BatchRow row, BatchOfTenant(sql, tenant, id));
  return Shown(sql, std::move(row));
}

absl::StatusOr<contract::Batch> Seal(StoreSql& sql, const std::string& tenant, const std::string& id,
                                     int64_t now) {
  ASSIGN_OR_RETURN(BatchRow row, BatchOfTenant(sql, tenant, id));
  if (row.batch.state != BatchState::kValidating) return Shown(sql, std::move(row));
  if (row.batch.counts.total == 0 && row.batch.bad_lines == 0) {
    contract::BatchError empty;
    empty.code = "empty_batch";
    empty.message = "the batch has no lines: append some before it is sealed";
    AddBatchError(sql, row.seq, empty);
    FailUnsealed(sql, row.seq, now);
  } else if (row.batch.bad_lines > 0) {
    FailUnsealed(sql, row.seq, now);
  } else {
    sql.Run("UPDATE batches SET state=?, in_progress=?, expires=? WHERE seq=?",
            Number(BatchState::kInProgress), now, now + row.batch.options.completion_window * 1'000, row.seq);
  }
  return ShownBySeq(sql, row.seq);
}

absl::StatusOr<contract::Batch> CancelBatchOf(StoreSql& sql, const std::string& tenant, const std::string& id,
                                              int64_t now) {
  ASSIGN_OR_RETURN(const BatchRow row, BatchOfTenant(sql, tenant, id));
  if (row.batch.state == BatchState::kValidating) {
    sql.Run(
        "UPDATE batches SET state=?1, cancelling_at=?2, cancelled_at=?2, ended=?2, dropping=1 WHERE seq=?3",
        Number(BatchState::kCancelled), now, row.seq);
  } else if (row.batch.state == BatchState::kInProgress) {
    sql.Run("UPDATE batches SET state=?, cancelling_at=?, ending=2 WHERE seq=?",
            Number(BatchState::kCancelling), now, row.seq);
  }
  return ShownBySeq(sql, row.seq);
}

contract::BatchPage ListBatchesOf(StoreSql& sql, const std::string& tenant,
                                  const contract::ListBatches& ask) {
  contract::BatchPage page;
  int64_t before = INT64_MAX;
  if (!ask.after.empty()) {
    const auto after = BatchOfTenant(sql, tenant, ask.after);
    if (!after.ok()) return page;
    before = after->seq;
  }
  std::vector<int64_t> found;
  for (Rows rows(sql,
                 "SELECT seq FROM batches INDEXED BY batches_listed WHERE tenant=? AND seq<? ORDER BY seq "
                 "DESC LIMIT ?",
                 tenant, before, ask.limit + 1);
       rows.Next();)
    found.push_back(rows.Int(0));
  page.has_more = static_cast<int64_t>(found.size()) > ask.limit;
  if (page.has_more) found.pop_back();
  // Without their errors: a list may be long.
  for (const int64_t seq : found) {
    if (auto row = BatchBySeq(sql, seq)) page.batches.push_back(std::move(row->batch));
  }
  return page;
}

int64_t ExpireBatchesDue(StoreSql& sql, int64_t now) {
  return sql.Run(
             "UPDATE batches SET state=3, finalizing=?1, ending=1 WHERE ended=0 AND ending=0 AND expires<=?1 "
             "AND "
             "state=2",
             now) +
         sql.Run(
             "UPDATE batches SET state=5, expired_at=?1, ended=?1, dropping=1 WHERE ended=0 AND ending=0 AND "
             "expires<=?1 AND state=0",
             now);
}

Store::Ended EndLinesOfEnding(StoreSql& sql, int64_t most, int64_t now) {
  Store::Ended ended;
  int64_t batch = 0;
  auto ending = BatchEnding::kNone;
  if (Rows rows(
          sql,
          "SELECT seq, ending FROM batches INDEXED BY batches_ending WHERE ended=0 AND ending>0 LIMIT 1");
      rows.Next()) {
    batch = rows.Int(0);
    ending = static_cast<BatchEnding>(rows.Int(1));
  }
  if (batch == 0) return ended;
  std::vector<int64_t> lines;
  for (Rows rows(
           sql,
           "SELECT seq FROM jobs INDEXED BY jobs_open_in_batch WHERE batch>0 AND state<2 AND batch=? LIMIT ?",
           batch, most);
       rows.Next();)
    lines.push_back(rows.Int(0));
  const bool expired = ending == BatchEnding::kExpired;
  const ResultRecord result =
      expired ? ResultRecord("batch_expired", "the batch expired before the line was done")
              : ResultRecord("batch_cancelled", "the batch was cancelled");
  for (const int64_t seq : lines) {
    const auto row = JobBySeq(sql, seq);
    if (!row) continue;
    if (row->state == JobState::kRunning) {
      Aborted& aborted = ended.aborted.emplace_back();
      aborted.job = row->id;
      aborted.tenant = row->tenant;
      aborted.worker = row->worker;
    }
    EndJob(sql, *row, expired ? JobState::kFailed : JobState::kCancelled, result, now);
  }
  if (lines.empty()) CompleteBatch(sql, batch, now);
  ended.lines = static_cast<int64_t>(lines.size());
  return ended;
}

}  // namespace llm_router
