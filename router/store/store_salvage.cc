#include "router/store/store_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/salvaged_tables.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "proto/batch.h"
#include "proto/fault.h"
#include "router/store/batch_errors.h"
#include "router/store/batch_table.h"
#include "router/store/file_salvage.h"
#include "router/store/job_row.h"
#include "router/store/job_table.h"
#include "router/store/outbox_table.h"
#include "router/store/store_record.h"
#include "router/store/store_sql.h"

namespace llm_router {
namespace {

using contract::JobState;

constexpr int kRowsAtOnce = 4'096;
constexpr int64_t kAtOnce = 1'000;

#define LLM_ROUTER_ALL_OF_A_BATCH                                                                        \
  "seq, id, tenant, state, options, at_once, next_line, bytes, total, completed, failed, running, fed, " \
  "bad_lines, ending, dropping, ended, created, in_progress, expires, finalizing, completed_at, "        \
  "failed_at, expired_at, cancelling_at, cancelled_at, idempotency_key, checksum"

int64_t Int(SQLite::Statement& row, int column) { return row.getColumn(column).getInt64(); }
std::string Text(SQLite::Statement& row, int column) { return row.getColumn(column).getString(); }

class Work {
 public:
  Work(SQLite::Database& damaged, SQLite::Database& fresh) : tables_(damaged), fresh_(fresh), sql_(fresh) {}

  std::string Do() {
    fresh_.exec("BEGIN");
    Read("batches", LLM_ROUTER_ALL_OF_A_BATCH, &Work::ReadBatch);
    Read("jobs", LLM_ROUTER_JOB_COLUMNS, &Work::ReadJob);
    Read("bodies", "job, checksum, record", &Work::ReadBody);
    Read("results", "seq, job, checksum, record", &Work::ReadResult);
    Read("failures", "id, job, number, at, code, message, checksum", &Work::ReadFailure);
    Read("outbox", "job, due, attempts, checksum", &Work::ReadOutbox);
    Read("batch_errors", "id, batch, line, code, message, param, checksum", &Work::ReadBatchError);
    lost_ += SalvageFiles(tables_, fresh_);
    FailWithoutResult();
    Count();
    for (const auto& [batch, lines] : lines_) MendBatch(batch, lines);
    fresh_.exec("COMMIT");
    return fmt::format(
        "{} jobs, {} batches and {} results are kept, {} rows were found damaged or belong to what is lost, "
        "and "
        "are lost{}",
        jobs_, lines_.size(), results_, lost_, tables_.Unreadable("rows"));
  }

 private:
  struct Owner {
    std::string id;
    int64_t batch = 0;
    JobState state = JobState::kQueued;
    bool replies = false;
  };

  void Read(const char* table, const char* columns, bool (Work::*keep)(SQLite::Statement&)) {
    tables_.Read(table, columns, [this, keep](SQLite::Statement& row) {
      if (!(this->*keep)(row)) ++lost_;
      if (++rows_ % kRowsAtOnce == 0) fresh_.exec("COMMIT; BEGIN");
    });
  }

  bool ReadBatch(SQLite::Statement& row) {
    if (Int(row, 27) != BatchChecksum(Text(row, 1), Text(row, 2), Text(row, 4), Int(row, 5), Text(row, 26)))
      return false;
    SQLite::Statement insert(
        fresh_,
        "INSERT OR IGNORE INTO batches VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        "?,?,?,?,?,?)");
    for (int column = 0; column < 28; ++column) {
      const bool is_text = column == 1 || column == 2 || column == 4 || column == 26;
      if (is_text) {
        insert.bind(column + 1, Text(row, column));
      } else {
        insert.bind(column + 1, Int(row, column));
      }
    }
    if (insert.exec() == 0) return false;
    lines_[Int(row, 0)] = 0;
    return true;
  }

  bool ReadJob(SQLite::Statement& at) {
    KeptJobRow kept = ReadJobRow(at);
    if (!kept.is_whole || (kept.row.batch > 0 && !lines_.contains(kept.row.batch))) return false;
    // One that stands there twice.
    if (Rows(sql_, "SELECT 1 FROM jobs WHERE id=?", kept.row.id).Next()) return false;
    if (!kept.row.idempotency_key.empty() &&
        Rows(sql_, "SELECT 1 FROM jobs WHERE idempotency_key<>'' AND tenant=? AND idempotency_key=?",
             kept.row.tenant, kept.row.idempotency_key)
            .Next())
      return false;
    if (kept.row.batch > 0) {
      if (Rows(sql_, "SELECT 1 FROM jobs WHERE batch>0 AND batch=? AND custom_id=?", kept.row.batch,
               kept.row.custom_id)
              .Next())
        return false;
      ++lines_[kept.row.batch];
    }
    WriteNew(sql_, kept.row);
    ++jobs_;
    return true;
  }

  std::optional<Owner> OwnerOf(int64_t job) {
    Rows rows(sql_, "SELECT id, batch, state, reply_to<>'' FROM jobs WHERE seq=?", job);
    if (!rows.Next()) return std::nullopt;
    Owner owner;
    owner.id = rows.Text(0);
    owner.batch = rows.Int(1);
    owner.state = JobStateOf(rows.Int(2));
    owner.replies = rows.Int(3) != 0;
    return owner;
  }

  bool ReadBody(SQLite::Statement& row) {
    const auto owner = OwnerOf(Int(row, 0));
    const std::string record = BlobOf(row.getColumn(2));
    if (!owner || Int(row, 1) != ChecksumOf(owner->id, record)) return false;
    return sql_.Run("INSERT OR IGNORE INTO bodies VALUES(?,?,?)", Int(row, 0), Int(row, 1), Blob(record)) > 0;
  }

  bool ReadResult(SQLite::Statement& row) {
    const auto owner = OwnerOf(Int(row, 1));
    const std::string record = BlobOf(row.getColumn(3));
    if (!owner || !contract::IsFinal(owner->state) || Int(row, 2) != ChecksumOf(owner->id, record))
      return false;
    const int kept = sql_.Run("INSERT OR IGNORE INTO results VALUES(?,?,?,?,?,?)", Int(row, 0), Int(row, 1),
                              owner->batch, owner->state != JobState::kCompleted, Int(row, 2), Blob(record));
    results_ += kept;
    return kept > 0;
  }

  bool ReadFailure(SQLite::Statement& row) {
    const auto owner = OwnerOf(Int(row, 1));
    if (!owner || Int(row, 6) != FailureChecksum(owner->id, Int(row, 3), Text(row, 4), Text(row, 5)))
      return false;
    return sql_.Run("INSERT OR IGNORE INTO failures VALUES(?,?,?,?,?,?,?)", Int(row, 0), Int(row, 1),
                    Int(row, 2), Int(row, 3), Text(row, 4), Text(row, 5), Int(row, 6)) > 0;
  }

  // One that is damaged goes on as it is (outbox_table.h).
  bool ReadOutbox(SQLite::Statement& row) {
    const auto owner = OwnerOf(Int(row, 0));
    if (!owner || !owner->replies || !contract::IsFinal(owner->state)) return false;
    return sql_.Run("INSERT OR IGNORE INTO outbox VALUES(?,?,?,?)", Int(row, 0), Int(row, 1), Int(row, 2),
                    Int(row, 3)) > 0;
  }

  bool ReadBatchError(SQLite::Statement& row) {
    contract::BatchError error;
    error.line = Int(row, 2);
    error.code = Text(row, 3);
    error.message = Text(row, 4);
    error.param = Text(row, 5);
    if (!lines_.contains(Int(row, 1)) || Int(row, 6) != ChecksumOf(Int(row, 1), error)) return false;
    return sql_.Run("INSERT OR IGNORE INTO batch_errors VALUES(?,?,?,?,?,?,?)", Int(row, 0), Int(row, 1),
                    error.line, error.code, error.message, error.param, Int(row, 6)) > 0;
  }

  void FailWithoutResult() {
    int64_t after = 0;
    while (true) {
      std::vector<int64_t> jobs;
      for (Rows rows(sql_,
                     "SELECT seq FROM jobs WHERE state>=2 AND seq>? AND seq NOT IN (SELECT job FROM results) "
                     "ORDER BY seq LIMIT ?",
                     after, kAtOnce);
           rows.Next();)
        jobs.push_back(rows.Int(0));
      if (jobs.empty()) return;
      for (const int64_t job : jobs) FailWithoutResult(job);
      after = jobs.back();
    }
  }

  void FailWithoutResult(int64_t job) {
    JobRow row;
    {
      Rows rows(sql_, "SELECT " LLM_ROUTER_JOB_COLUMNS " FROM jobs WHERE seq=?", job);
      if (!rows.Next()) return;
      row = ReadJobRow(rows.row()).row;
    }
    if (row.state == JobState::kCompleted) row.state = JobState::kFailed;
    const std::string record =
        Encode(ResultRecord(llm_router::RowOf(Fault::kStorageFailed).name,
                            "the job's result is lost with a damaged file: submit the job again"));
    sql_.Run("UPDATE jobs SET state=?, checksum=? WHERE seq=?", static_cast<int>(row.state), ChecksumOf(row),
             job);
    sql_.Run("INSERT INTO results(job, batch, failed, checksum, record) VALUES(?,?,1,?,?)", job, row.batch,
             ChecksumOf(row.id, record), Blob(record));
  }

  void Count() {
    fresh_.exec(
        "INSERT INTO routes SELECT route, SUM(state=0 AND fed=0), SUM(state<2 AND fed=1), SUM(state=1), "
        "SUM(state=2), SUM(state=3), SUM(state=4) FROM jobs GROUP BY route");
    fresh_.exec(
        "UPDATE batches SET completed=0, failed=0, running=0, fed=0 WHERE ended=0 OR dropping=0; "
        "UPDATE batches SET completed=l.c, failed=l.f, running=l.r, fed=l.d FROM (SELECT batch, SUM(state=2) "
        "AS c, SUM(state>2) AS f, SUM(state=1) AS r, SUM(state<2 AND fed=1) AS d FROM jobs WHERE batch>0 "
        "GROUP "
        "BY batch) l WHERE l.batch=batches.seq AND (ended=0 OR dropping=0)");
  }

  // Its numbers, where they are not those of its lines.
  void MendBatch(int64_t batch, int64_t lines) {
    const int64_t now = UnixMillis();
    // A batch whose lines were dropped with intent keeps what it counted.
    sql_.Run(
        "UPDATE batches SET state=CASE WHEN state BETWEEN 0 AND 7 THEN state ELSE 0 END, "
        "dropping=MIN(MAX(dropping,0),2), ending=MIN(MAX(ending,0),2) WHERE seq=?",
        batch);
    sql_.Run(
        "UPDATE batches SET ended=CASE WHEN state NOT IN (1,4,5,7) THEN 0 WHEN ended>0 THEN ended ELSE ?2 "
        "END "
        "WHERE seq=?1",
        batch, now);
    int64_t total = 0, next_line = 0, last_line = 0;
    bool is_over = true, is_open = false;
    if (Rows rows(
            sql_,
            "SELECT total, next_line, state, ended, (SELECT IFNULL(MAX(line),0) FROM jobs WHERE batch>0 AND "
            "batch=batches.seq) FROM batches WHERE seq=?",
            batch);
        rows.Next()) {
      total = rows.Int(0);
      next_line = rows.Int(1);
      is_open = rows.Int(2) == static_cast<int64_t>(contract::BatchState::kValidating);
      is_over = rows.Int(3) > 0;
      last_line = rows.Int(4);
    }
    if (is_over) return;
    if (next_line <= last_line || next_line > contract::kMostBatchLines + 1) next_line = last_line + 1;
    sql_.Run(
        "UPDATE batches SET total=?, next_line=?, bytes=MIN(MAX(bytes,0),?), bad_lines=MAX(bad_lines,0) "
        "WHERE seq=?",
        lines, next_line, contract::kMostBatchBytes, batch);
    const bool lost = lines < std::clamp<int64_t>(total, 0, next_line - 1);
    if (lost) TellLost(batch, is_open);
    CompleteBatch(sql_, batch, now);
  }

  // One that is still being made fails when it is sealed.
  void TellLost(int64_t batch, bool is_open) {
    contract::BatchError error;
    error.code = llm_router::RowOf(Fault::kStorageFailed).name;
    error.message = "lines of the batch are lost with a damaged file: submit those without a result again";
    AddBatchError(sql_, batch, error);
    if (is_open) sql_.Run("UPDATE batches SET bad_lines=bad_lines+1 WHERE seq=?", batch);
  }

  SalvagedTables tables_;
  SQLite::Database& fresh_;
  StoreSql sql_;
  std::map<int64_t, int64_t> lines_;  // of each batch that is kept, how many are
  int64_t rows_ = 0;
  int64_t jobs_ = 0;
  int64_t results_ = 0;
  int64_t lost_ = 0;
};

}  // namespace

std::string SalvageStore(SQLite::Database& damaged, SQLite::Database& fresh) {
  return Work(damaged, fresh).Do();
}

}  // namespace llm_router
