#include "router/store/job_row.h"

#include <algorithm>
#include <string_view>

#include "router/store/store_record.h"

namespace llm_router {
namespace {

using contract::JobState;

int64_t Int(SQLite::Statement& at, int column) { return at.getColumn(column).getInt64(); }
std::string Text(SQLite::Statement& at, int column) { return at.getColumn(column).getString(); }

}  // namespace

JobState JobStateOf(int64_t number) { return static_cast<JobState>(std::clamp<int64_t>(number, 0, 4)); }

KeptJobRow ReadJobRow(SQLite::Statement& at) {
  KeptJobRow kept;
  JobRow& row = kept.row;
  row.seq = Int(at, 0);
  row.id = Text(at, 1);
  row.tenant = Text(at, 2);
  row.route = Text(at, 3);
  row.state = JobStateOf(Int(at, 4));
  row.fed = Int(at, 5) != 0;
  row.lane = Int(at, 6);
  row.due = Int(at, 7);
  row.generation = Int(at, 8);
  row.batch = Int(at, 9);
  row.line = Int(at, 10);
  row.custom_id = Text(at, 11);
  row.has_message = Int(at, 12) != 0;
  row.message_id = Text(at, 13);
  row.sent_at = Int(at, 14);
  row.idempotency_key = Text(at, 15);
  row.deadline = Int(at, 16);
  row.reply_to = Text(at, 17);
  row.created = Int(at, 18);
  row.started = Int(at, 19);
  row.finished = Int(at, 20);
  row.runs = Int(at, 21);
  row.run = Text(at, 22);
  row.worker = Text(at, 23);
  row.ended_run = Text(at, 24);
  row.verdict = Int(at, 25);
  kept.is_whole = Int(at, 26) == ChecksumOf(row);
  return kept;
}

int64_t ChecksumOf(const JobRow& row) {
  std::string all;
  for (const int64_t number : {static_cast<int64_t>(row.state), int64_t{row.fed}, row.lane, row.due,
                               row.generation, row.batch, row.line, int64_t{row.has_message}, row.sent_at,
                               row.deadline, row.created, row.started, row.finished, row.runs, row.verdict})
    all.append(reinterpret_cast<const char*>(&number), sizeof(number));
  // A byte that is in no UTF-8 ends each.
  for (const std::string* text : {&row.id, &row.tenant, &row.route, &row.custom_id, &row.message_id,
                                  &row.idempotency_key, &row.reply_to, &row.run, &row.worker, &row.ended_run})
    all.append(*text).push_back('\xFF');
  return ChecksumOf("job", all);
}

void WriteNew(StoreSql& sql, JobRow& row) {
  sql.Run("INSERT INTO jobs VALUES(NULLIF(?,0),?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", row.seq,
          row.id, row.tenant, row.route, static_cast<int>(row.state), row.fed, row.lane, row.due,
          row.generation, row.batch, row.line, row.custom_id, row.has_message, row.message_id, row.sent_at,
          row.idempotency_key, row.deadline, row.reply_to, row.created, row.started, row.finished, row.runs,
          row.run, row.worker, row.ended_run, row.verdict, ChecksumOf(row));
  row.seq = sql.last_row();
}

}  // namespace llm_router
