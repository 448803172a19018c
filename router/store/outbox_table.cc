#include "router/store/outbox_table.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/log.h"
#include "router/store/job_table.h"
#include "router/store/store_record.h"

namespace llm_router {
namespace {

// Far more than a result is ever put off: what is due later than this is damaged, or the clock was set back.
constexpr int64_t kFarthest = 600'000;

int64_t AttemptsOf(Rows& rows) {
  if (rows.Int(3) == OutboxChecksum(rows.Int(0), rows.Int(1), rows.Int(2))) return rows.Int(2);
  log::Error("jobs.sqlite: when a result is to be sent is damaged on disk: it counts as due now");
  return 0;
}

}  // namespace

uint32_t OutboxChecksum(int64_t job, int64_t due, int64_t attempts) {
  return ChecksumOf(fmt::format("{}", job), fmt::format("{} {}", due, attempts));
}

void AddToOutbox(StoreSql& sql, int64_t job, int64_t due) {
  sql.Run("INSERT OR REPLACE INTO outbox VALUES(?,?,0,?)", job, due, OutboxChecksum(job, due, 0));
}

void PutOffInOutbox(StoreSql& sql, int64_t job, int64_t attempts, int64_t due) {
  sql.Run("UPDATE outbox SET due=?, attempts=?, checksum=? WHERE job=?", due, attempts,
          OutboxChecksum(job, due, attempts), job);
}

void TakeFromOutbox(StoreSql& sql, int64_t job) { sql.Run("DELETE FROM outbox WHERE job=?", job); }

std::vector<OutboxItem> OutboxDue(StoreSql& sql, int64_t most, int64_t now) {
  std::vector<OutboxItem> rows_due;
  for (Rows rows(sql,
                 "SELECT job, due, attempts, checksum FROM outbox INDEXED BY outbox_by_due "
                 "WHERE due<=? OR due>? ORDER BY due LIMIT ?",
                 now, now + kFarthest, most);
       rows.Next();) {
    OutboxItem& item = rows_due.emplace_back();
    item.row = rows.Int(0);
    item.attempts = AttemptsOf(rows);
  }
  std::vector<OutboxItem> items;
  for (OutboxItem& item : rows_due) {
    const auto row = JobBySeq(sql, item.row);
    // A damaged row can name another job, which has nothing to send yet.
    if (!row || !row->is_final() || row->reply_to.empty()) {
      TakeFromOutbox(sql, item.row);
      continue;
    }
    item.job = row->id;
    item.tenant = row->tenant;
    item.queue = row->reply_to;
    ResultRecord result = ReadResult(sql, *row);
    item.reply = std::move(result.reply);
    if (!item.reply.executed && item.reply.body.empty())
      item.reply.body = contract::Dump({{"error", {{"message", result.message}, {"code", result.code}}}});
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace llm_router
