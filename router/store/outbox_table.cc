#include "router/store/outbox_table.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "broker_adapters/base/log.h"
#include "router/store/job_table.h"
#include "router/store/store_record.h"

namespace llm_router {
namespace {

// Far more than a result is ever put off: what is due later than this is damaged, or the clock was set back.
constexpr int64_t kFarthest = 600'000;

OutboxItem ItemOf(Rows& rows) {
  OutboxItem item;
  item.row = rows.Int(0);
  item.attempts = rows.Int(2);
  if (rows.Int(3) == OutboxChecksum(item.row, rows.Int(1), item.attempts)) return item;
  log::Error("jobs.sqlite: when a result is to be sent is damaged on disk: it is sent now");
  item.attempts = 0;
  return item;
}

}  // namespace

uint32_t OutboxChecksum(int64_t job, int64_t due, int64_t attempts) {
  return ChecksumOf(fmt::format("{}", job), fmt::format("{} {}", due, attempts));
}

void AddToOutbox(StoreSql& sql, int64_t job, int64_t due, int64_t attempts) {
  sql.Run("INSERT OR REPLACE INTO outbox VALUES(?,?,?,?)", job, due, attempts,
          OutboxChecksum(job, due, attempts));
}

void PutOffInOutbox(StoreSql& sql, int64_t job, int64_t due) {
  std::optional<OutboxItem> item;
  if (Rows rows(sql, "SELECT job, due, attempts, checksum FROM outbox WHERE job=?", job); rows.Next())
    item = ItemOf(rows);
  if (item) AddToOutbox(sql, job, due, item->attempts + 1);
}

void TakeFromOutbox(StoreSql& sql, int64_t job) { sql.Run("DELETE FROM outbox WHERE job=?", job); }

std::vector<OutboxItem> OutboxDue(StoreSql& sql, int64_t most, int64_t now) {
  std::vector<OutboxItem> items;
  for (Rows rows(sql,
                 "SELECT job, due, attempts, checksum FROM outbox INDEXED BY outbox_by_due "
                 "WHERE due<=? OR due>? ORDER BY due LIMIT ?",
                 now, now + kFarthest, most);
       rows.Next();)
    items.push_back(ItemOf(rows));
  for (OutboxItem& item : items) {
    const auto row = JobBySeq(sql, item.row);
    if (!row) continue;
    item.job = row->id;
    item.tenant = row->tenant;
    item.queue = row->reply_to;
    ResultRecord result = ReadResult(sql, *row);
    item.reply = std::move(result.reply);
    if (item.reply.executed || !item.reply.body.empty()) continue;
    item.reply.body = contract::Dump({{"error", {{"message", result.message}, {"code", result.code}}}});
  }
  return items;
}

}  // namespace llm_router
