#include "router/store/batch_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "proto/jobs_question.h"
#include "router/store/store_record.h"

namespace llm_router {
namespace {

using contract::BatchState;

#define LLM_ROUTER_BATCH_COLUMNS                                                                        \
  "SELECT seq, id, state, options, at_once, next_line, bytes, total, completed, failed, running, fed, " \
  "bad_lines, ending, created, in_progress, expires, finalizing, completed_at, failed_at, expired_at, " \
  "cancelling_at, cancelled_at, tenant, options, at_once, idempotency_key, checksum FROM batches "

// They are kept as the question that made them.
contract::BatchOptions OptionsOf(const std::string& question) {
  auto asked = contract::ParseJobsQuestion(question);
  if (!asked.ok() || !std::holds_alternative<contract::CreateBatch>(*asked)) return {};
  return std::get<contract::CreateBatch>(*std::move(asked)).options;
}

BatchRow RowOf(const Rows& rows) {
  BatchRow row;
  contract::Batch& batch = row.batch;
  row.seq = rows.Int(0);
  batch.id = rows.Text(1);
  batch.state = static_cast<BatchState>(std::clamp<int64_t>(rows.Int(2), 0, 7));
  batch.options = OptionsOf(rows.Text(3));
  row.at_once = rows.Int(4);
  row.next_line = rows.Int(5);
  row.bytes = rows.Int(6);
  batch.counts.total = rows.Int(7);
  batch.counts.completed = rows.Int(8);
  batch.counts.failed = rows.Int(9);
  batch.counts.running = rows.Int(10);
  row.fed = rows.Int(11);
  batch.bad_lines = rows.Int(12);
  row.ending = static_cast<BatchEnding>(std::clamp<int64_t>(rows.Int(13), 0, 2));
  int column = 14;
  for (int64_t contract::Batch::* time :
       {&contract::Batch::created_at, &contract::Batch::in_progress_at, &contract::Batch::expires_at,
        &contract::Batch::finalizing_at, &contract::Batch::completed_at, &contract::Batch::failed_at,
        &contract::Batch::expired_at, &contract::Batch::cancelling_at, &contract::Batch::cancelled_at})
    batch.*time = rows.Int(column++) / 1000;
  if (rows.Int(27) != BatchChecksum(batch.id, rows.Text(23), rows.Text(24), row.at_once, rows.Text(26)))
    ThrowDamage(fmt::format("the row of batch number {} is damaged", row.seq));
  return row;
}

}  // namespace

int64_t BatchChecksum(std::string_view id, std::string_view tenant, std::string_view options, int64_t at_once,
                      std::string_view idempotency_key) {
  std::string all;
  for (const std::string_view text : {tenant, options, idempotency_key}) all.append(text).push_back('\xFF');
  return ChecksumOf(id, all + std::to_string(at_once));
}

std::optional<BatchRow> BatchBySeq(StoreSql& sql, int64_t seq) {
  Rows rows(sql, LLM_ROUTER_BATCH_COLUMNS "WHERE seq=?", seq);
  if (!rows.Next()) return std::nullopt;
  return RowOf(rows);
}

absl::StatusOr<BatchRow> BatchOfTenant(StoreSql& sql, std::string_view tenant, std::string_view id) {
  Rows rows(sql, LLM_ROUTER_BATCH_COLUMNS "WHERE id=? AND tenant=?", id, tenant);
  if (rows.Next()) return RowOf(rows);
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("there is no batch \"{}\": those there are, `llm-router batch list` shows; "
                               "results are kept for the time jobs.keep_results says",
                               Excerpt(id)));
}

std::string BatchId(StoreSql& sql, int64_t seq) {
  Rows rows(sql, "SELECT id FROM batches WHERE seq=?", seq);
  return rows.Next() ? rows.Text(0) : std::string();
}

BatchGate GateOf(StoreSql& sql, int64_t seq) {
  BatchGate gate;
  Rows rows(sql, "SELECT state, at_once, fed FROM batches WHERE seq=?", seq);
  if (!rows.Next() || rows.Int(0) != static_cast<int64_t>(BatchState::kInProgress)) return gate;
  gate.is_open = true;
  const int64_t at_once = rows.Int(1) > 0 ? rows.Int(1) : std::numeric_limits<int64_t>::max();
  gate.room = std::max<int64_t>(at_once - rows.Int(2), 0);
  return gate;
}

void CountInBatch(StoreSql& sql, int64_t seq, const JobCounts& change) {
  sql.Run(
      "UPDATE batches SET fed=fed+?, running=running+?, completed=completed+?, failed=failed+? WHERE seq=?",
      change.fed, change.running, change.completed, change.failed + change.cancelled, seq);
}

void CompleteBatch(StoreSql& sql, int64_t seq, int64_t now) {
  sql.Run(
      "UPDATE batches SET state=CASE ending WHEN 0 THEN 4 WHEN 1 THEN 5 ELSE 7 END, ended=?1, "
      "finalizing=CASE finalizing WHEN 0 THEN ?1 ELSE finalizing END, "
      "completed_at=CASE ending WHEN 0 THEN ?1 ELSE 0 END, expired_at=CASE ending WHEN 1 THEN ?1 ELSE 0 END, "
      "cancelled_at=CASE ending WHEN 2 THEN ?1 ELSE 0 END "
      "WHERE seq=?2 AND ended=0 AND state IN (2,3,6) AND completed+failed=total",
      now, seq);
  static_assert(
      static_cast<int>(BatchState::kInProgress) == 2 && static_cast<int>(BatchState::kFinalizing) == 3 &&
      static_cast<int>(BatchState::kCompleted) == 4 && static_cast<int>(BatchState::kExpired) == 5 &&
      static_cast<int>(BatchState::kCancelling) == 6 && static_cast<int>(BatchState::kCancelled) == 7);
}

}  // namespace llm_router
