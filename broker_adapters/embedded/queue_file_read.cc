// Reading messages back, and taking many off at once. What an index says is never believed alone: it only
// finds the row.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/queue_file.h"
#include "broker_adapters/embedded/queue_file_row.h"

namespace llm_router {

std::optional<QueueFile::Row> QueueFile::Fetch(SQLite::Statement& fetch, int64_t id) {
  const Use use(fetch);
  fetch.bind(1, id);
  if (!fetch.executeStep()) return std::nullopt;
  return Row(fetch);
}

std::vector<int64_t> QueueFile::Ids(SQLite::Statement& find) {
  std::vector<int64_t> ids;
  while (find.executeStep()) ids.push_back(find.getColumn(0).getInt64());
  return ids;
}

bool QueueFile::SetAsideIfDamaged(const Row& row, bool is_delayed) {
  if (row.IsWhole(is_delayed)) return false;
  const char* const table = is_delayed ? "delayed" : "messages";
  log::Error(
      "a kept message (number {}) in {} is damaged: it is lost, and what is left of it is in the file's "
      "table "
      "`damaged`; look after the disk",
      row.id, database_.getFilename());
  SQLite::Statement copy(database_, "INSERT INTO damaged VALUES(?, ?, ?, ?)");
  copy.bind(1, table);
  copy.bind(2, row.id);
  copy.bind(3, row.queue);
  BindBlob(copy, 4, row.record);
  copy.exec();
  SQLite::Statement erase(database_, fmt::format("DELETE FROM {} WHERE id=?", table));
  erase.bind(1, row.id);
  erase.exec();
  return true;
}

QueueFile::Page QueueFile::Read(int64_t queue, int64_t after, size_t most, size_t most_bytes) {
  Page page;
  std::vector<Row> doubtful;
  {
    const Use use(read_);
    read_.bind(1, queue);
    read_.bind(2, after);
    read_.bind(3, static_cast<int64_t>(most));
    size_t rows = 0;
    for (size_t bytes = 0; rows < most && bytes < most_bytes; ++rows) {
      page.more = read_.executeStep();
      if (!page.more) break;
      Row row(read_);
      bytes += row.record.size();
      row.queue = queue;
      if (!row.IsWhole(false)) {
        doubtful.push_back(std::move(row));
        continue;
      }
      Stored& stored = page.messages.emplace_back();
      stored.place = row.PlaceOf(false);
      stored.record = std::move(row.record);
    }
  }
  for (const Row& row : doubtful) {
    const auto fetched = Fetch(fetch_, row.id);
    if (!fetched || !SetAsideIfDamaged(*fetched, false)) ThrowDamage("an index does not fit its table");
    ++page.damaged;
    page.damaged_bytes += fetched->record.size();
  }
  return page;
}

std::vector<QueueFile::Released> QueueFile::ReleaseDue(int64_t now, size_t most) {
  std::vector<int64_t> ids;
  {
    const Use use(due_);
    due_.bind(1, now);
    due_.bind(2, static_cast<int64_t>(most));
    ids = Ids(due_);
  }
  std::vector<Released> released;
  for (const int64_t id : ids) {
    auto row = Fetch(fetch_delayed_, id);
    if (!row) ThrowDamage("an index does not fit its table");
    if (SetAsideIfDamaged(*row, true)) continue;
    if (row->sequence_or_due > now || !queues_.contains(row->queue))
      ThrowDamage("an index does not fit its table");
    Released& moved = released.emplace_back();
    moved.queue = queues_.at(row->queue).name;
    moved.stored.place = Add(row->queue, row->record, row->expires, row->deliveries);
    moved.stored.record = std::move(row->record);
    const Use use(erase_delayed_);
    erase_delayed_.bind(1, id);
    erase_delayed_.exec();
  }
  return released;
}

std::vector<QueueFile::Expired> QueueFile::EraseExpired(int64_t now, size_t most,
                                                        const absl::flat_hash_set<int64_t>& kept) {
  SQLite::Statement find(database_,
                         "SELECT id FROM messages WHERE expires>0 AND expires<=? ORDER BY expires LIMIT ?");
  find.bind(1, now);
  find.bind(2, static_cast<int64_t>(most + kept.size()));
  std::vector<int64_t> ids = Ids(find);
  find.reset();
  std::vector<Expired> expired;
  for (const int64_t id : ids) {
    if (kept.contains(id)) continue;
    const auto row = Fetch(fetch_, id);
    if (!row) ThrowDamage("an index does not fit its table");
    const auto queue = queues_.find(row->queue);
    if (!SetAsideIfDamaged(*row, false)) {
      if (row->expires == 0 || row->expires > now || queue == queues_.end()) {
        ThrowDamage("an index does not fit its table");
      }
      (void)Erase(id);
    }
    Expired& gone = expired.emplace_back();
    gone.id = id;
    gone.bytes = row->record.size();
    if (queue != queues_.end()) gone.queue = queue->second.name;
  }
  return expired;
}

QueueFile::Purge QueueFile::PurgeMore(int64_t queue, Purge purge, const absl::flat_hash_set<int64_t>& kept,
                                      size_t most) {
  purge.messages = purge.delayed = purge.bytes = 0;
  if (!purge.delayed_done) {
    purge.delayed = EraseDelayedOf(queue, most, purge.bytes);
    purge.delayed_done = purge.delayed < most;
    return purge;
  }
  if (purge.up_to == 0) purge.up_to = last_id_;
  SQLite::Statement find(
      database_,
      "SELECT id, bytes FROM messages INDEXED BY messages_of_queue WHERE queue=? AND id>? AND "
      "id<=? ORDER BY id LIMIT ?");
  find.bind(1, queue);
  find.bind(2, purge.after);
  find.bind(3, purge.up_to);
  find.bind(4, static_cast<int64_t>(most));
  std::vector<int64_t> ids;
  size_t seen = 0;
  for (; find.executeStep(); ++seen) {
    purge.after = find.getColumn(0).getInt64();
    if (kept.contains(purge.after)) continue;
    ids.push_back(purge.after);
    purge.bytes += static_cast<uint64_t>(std::max<int64_t>(find.getColumn(1).getInt64(), 0));
  }
  find.reset();
  for (const int64_t id : ids) purge.messages += Erase(id) ? 1 : 0;
  purge.done = seen < most;
  return purge;
}

size_t QueueFile::EraseDelayedOf(int64_t queue, size_t most, uint64_t& bytes) {
  SQLite::Statement find(database_, "SELECT id, bytes FROM delayed WHERE queue=? LIMIT ?");
  find.bind(1, queue);
  find.bind(2, static_cast<int64_t>(most));
  std::vector<int64_t> ids;
  while (find.executeStep()) {
    ids.push_back(find.getColumn(0).getInt64());
    bytes += static_cast<uint64_t>(std::max<int64_t>(find.getColumn(1).getInt64(), 0));
  }
  find.reset();
  for (const int64_t id : ids) {
    const Use use(erase_delayed_);
    erase_delayed_.bind(1, id);
    erase_delayed_.exec();
  }
  return ids.size();
}

}  // namespace llm_router
