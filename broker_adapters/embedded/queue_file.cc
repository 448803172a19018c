#include "broker_adapters/embedded/queue_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr int kVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS queues(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, last_sequence INTEGER NOT NULL, dead INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, sequence INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of_queue ON messages(queue, id, bytes);
CREATE INDEX IF NOT EXISTS messages_expiring ON messages(expires) WHERE expires>0;
CREATE TABLE IF NOT EXISTS delayed(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, due INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS delayed_by_due ON delayed(due, id);
CREATE TABLE IF NOT EXISTS damaged(origin TEXT, id INTEGER, queue INTEGER, record BLOB);
)";

}  // namespace

absl::StatusOr<std::unique_ptr<QueueFile>> QueueFile::Open(SQLite::Database& database) {
  RETURN_IF_ERROR(MakeTables(database, kVersion, kSchema));
  std::unique_ptr<QueueFile> file;
  RETURN_IF_ERROR(TrySqlite([&] {
    file.reset(new QueueFile(database));
    file->Count();
  }));
  return file;
}

QueueFile::QueueFile(SQLite::Database& database)
    : database_(database),
      insert_(database, "INSERT INTO messages VALUES(?,?,?,?,?,?,?,?)"),
      insert_delayed_(database, "INSERT INTO delayed VALUES(?,?,?,?,?,?,?,?)"),
      erase_(database, "DELETE FROM messages WHERE id=?"),
      erase_delayed_(database, "DELETE FROM delayed WHERE id=?"),
      read_(database,
            "SELECT id, sequence, expires, deliveries, checksum, record FROM messages INDEXED BY "
            "messages_of_queue "
            "WHERE queue=? AND id>? ORDER BY id LIMIT ?"),
      read_due_(database,
                "SELECT id, queue, due, expires, deliveries, checksum, record FROM delayed WHERE due<=? "
                "ORDER BY due, id LIMIT ?"),
      next_due_(database, "SELECT MIN(due) FROM delayed"),
      set_sequence_(database, "UPDATE queues SET last_sequence=? WHERE id=?"),
      count_dead_(database, "UPDATE queues SET dead=dead+1 WHERE id=?") {}

void QueueFile::Count() {
  SQLite::Statement queues(database_, "SELECT id, name, last_sequence, dead FROM queues");
  SQLite::Statement messages(
      database_, "SELECT COUNT(*), TOTAL(bytes) FROM messages INDEXED BY messages_of_queue WHERE queue=?");
  SQLite::Statement delayed(database_, "SELECT COUNT(*), TOTAL(bytes) FROM delayed WHERE queue=?");
  while (queues.executeStep()) {
    QueueCount& count = counts_.emplace_back();
    count.id = queues.getColumn(0).getInt64();
    count.name = BlobOf(queues.getColumn(1));
    count.dead = static_cast<uint64_t>(queues.getColumn(3).getInt64());
    ids_[count.name] = count.id;
    count.last_sequence = static_cast<uint64_t>(queues.getColumn(2).getInt64());
    queues_[count.id] = {count.name, count.last_sequence};
    const Use of_messages(messages);
    messages.bind(1, count.id);
    messages.executeStep();
    count.messages = static_cast<uint64_t>(messages.getColumn(0).getInt64());
    count.bytes = static_cast<uint64_t>(messages.getColumn(1).getDouble());
    const Use of_delayed(delayed);
    delayed.bind(1, count.id);
    delayed.executeStep();
    count.delayed = static_cast<uint64_t>(delayed.getColumn(0).getInt64());
    count.bytes += static_cast<uint64_t>(delayed.getColumn(1).getDouble());
  }
  // Ids are never used twice, for a window in memory knows a message by its id: also those of `delayed`
  // count.
  for (const char* table : {"messages", "delayed"}) {
    const int64_t last = database_.execAndGet(fmt::format("SELECT MAX(id) FROM {}", table)).getInt64();
    last_id_ = std::max(last_id_, last);
  }
  first_due_ = NextDue();
}

int64_t QueueFile::NextDue() {
  const Use use(next_due_);
  return next_due_.executeStep() ? next_due_.getColumn(0).getInt64() : 0;
}

int64_t QueueFile::QueueId(const std::string& name) {
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  const int64_t id = queues_.empty() ? 1 : queues_.rbegin()->first + 1;
  SQLite::Statement make(database_, "INSERT INTO queues VALUES(?, ?, 0, 0)");
  make.bind(1, id);
  BindBlob(make, 2, name);
  make.exec();
  ids_[name] = id;
  queues_[id] = {name, 0};
  made_.push_back(id);
  return id;
}

void QueueFile::RolledBack() {
  SQLite::Statement find(database_, "SELECT 1 FROM queues WHERE id=?");
  for (const int64_t id : std::exchange(made_, {})) {
    const Use use(find);
    find.bind(1, id);
    if (find.executeStep()) continue;
    ids_.erase(queues_[id].name);
    queues_.erase(id);
  }
}

uint64_t QueueFile::NextSequence(int64_t queue) {
  const uint64_t sequence = ++queues_[queue].last_sequence;
  const Use use(set_sequence_);
  set_sequence_.bind(1, static_cast<int64_t>(sequence));
  set_sequence_.bind(2, queue);
  set_sequence_.exec();
  return sequence;
}

Place QueueFile::Add(int64_t queue, const std::string& record, int64_t expires, int deliveries) {
  Place place;
  place.id = ++last_id_;
  place.sequence = NextSequence(queue);
  place.expires = expires;
  place.deliveries = deliveries;
  const Use use(insert_);
  insert_.bind(1, place.id);
  insert_.bind(2, queue);
  insert_.bind(3, static_cast<int64_t>(place.sequence));
  insert_.bind(4, expires);
  insert_.bind(5, deliveries);
  insert_.bind(6, static_cast<int64_t>(record.size()));
  insert_.bind(7, static_cast<int64_t>(Checksum(queue, place, 0, record)));
  BindBlob(insert_, 8, record);
  insert_.exec();
  return place;
}

void QueueFile::AddDelayed(int64_t queue, const std::string& record, int64_t due, int64_t expires,
                           int deliveries) {
  Place place;
  place.id = ++last_id_;
  place.expires = expires;
  place.deliveries = deliveries;
  const Use use(insert_delayed_);
  insert_delayed_.bind(1, place.id);
  insert_delayed_.bind(2, queue);
  insert_delayed_.bind(3, due);
  insert_delayed_.bind(4, expires);
  insert_delayed_.bind(5, deliveries);
  insert_delayed_.bind(6, static_cast<int64_t>(record.size()));
  insert_delayed_.bind(7, static_cast<int64_t>(Checksum(queue, place, due, record)));
  BindBlob(insert_delayed_, 8, record);
  insert_delayed_.exec();
}

void QueueFile::Erase(int64_t id) {
  const Use use(erase_);
  erase_.bind(1, id);
  erase_.exec();
}

QueueFile::Page QueueFile::Read(int64_t queue, int64_t after, size_t most, size_t most_bytes) {
  Page page;
  std::vector<int64_t> damaged;
  {
    const Use use(read_);
    read_.bind(1, queue);
    read_.bind(2, after);
    read_.bind(3, static_cast<int64_t>(most));
    size_t rows = 0;
    for (size_t bytes = 0; rows < most && bytes < most_bytes; ++rows) {
      page.more = read_.executeStep();
      if (!page.more) break;
      Stored stored;
      stored.place.id = read_.getColumn(0).getInt64();
      stored.place.sequence = static_cast<uint64_t>(read_.getColumn(1).getInt64());
      stored.place.expires = read_.getColumn(2).getInt64();
      stored.place.deliveries = read_.getColumn(3).getInt();
      stored.record = BlobOf(read_.getColumn(5));
      bytes += stored.record.size();
      if (IsWhole(queue, stored.place, 0, static_cast<uint32_t>(read_.getColumn(4).getInt64()),
                  stored.record)) {
        page.messages.push_back(std::move(stored));
      } else {
        damaged.push_back(stored.place.id);
      }
    }
  }
  for (const int64_t id : damaged) SetAside("messages", id);
  page.damaged = damaged.size();
  return page;
}

std::vector<QueueFile::Released> QueueFile::ReleaseDue(int64_t now, size_t most) {
  struct Due {
    int64_t id, queue, expires;
    int deliveries;
    bool whole;
    std::string record;
  };
  std::vector<Due> all;
  {
    const Use use(read_due_);
    read_due_.bind(1, now);
    read_due_.bind(2, static_cast<int64_t>(most));
    while (read_due_.executeStep()) {
      Place place;
      place.id = read_due_.getColumn(0).getInt64();
      place.expires = read_due_.getColumn(3).getInt64();
      place.deliveries = read_due_.getColumn(4).getInt();
      const int64_t queue = read_due_.getColumn(1).getInt64();
      std::string record = BlobOf(read_due_.getColumn(6));
      const auto checksum = static_cast<uint32_t>(read_due_.getColumn(5).getInt64());
      const bool whole = IsWhole(queue, place, read_due_.getColumn(2).getInt64(), checksum, record);
      all.push_back({place.id, queue, place.expires, place.deliveries, whole, std::move(record)});
    }
  }
  std::vector<Released> released;
  for (Due& due : all) {
    if (!due.whole) {
      SetAside("delayed", due.id);
      continue;
    }
    Released& moved = released.emplace_back();
    moved.queue = queues_[due.queue].name;
    moved.stored.place = Add(due.queue, due.record, due.expires, due.deliveries);
    moved.stored.record = std::move(due.record);
    const Use use(erase_delayed_);
    erase_delayed_.bind(1, due.id);
    erase_delayed_.exec();
  }
  return released;
}

std::vector<QueueFile::Expired> QueueFile::EraseExpired(int64_t now, size_t most) {
  std::vector<Expired> expired;
  SQLite::Statement find(
      database_,
      "SELECT id, queue, bytes FROM messages WHERE expires>0 AND expires<=? ORDER BY expires LIMIT ?");
  find.bind(1, now);
  find.bind(2, static_cast<int64_t>(most));
  while (find.executeStep()) {
    Expired& found = expired.emplace_back();
    found.id = find.getColumn(0).getInt64();
    found.queue = queues_[find.getColumn(1).getInt64()].name;
    found.bytes = static_cast<size_t>(find.getColumn(2).getInt64());
  }
  find.reset();
  for (const Expired& found : expired) Erase(found.id);
  return expired;
}

void QueueFile::CountDead(int64_t queue) {
  const Use use(count_dead_);
  count_dead_.bind(1, queue);
  count_dead_.exec();
}

uint64_t QueueFile::Purge(int64_t queue, const absl::flat_hash_set<int64_t>& kept) {
  std::vector<int64_t> found;
  SQLite::Statement find(database_, "SELECT id FROM messages INDEXED BY messages_of_queue WHERE queue=?");
  find.bind(1, queue);
  while (find.executeStep()) {
    const int64_t id = find.getColumn(0).getInt64();
    if (!kept.contains(id)) found.push_back(id);
  }
  find.reset();
  for (const int64_t id : found) Erase(id);
  SQLite::Statement delayed(database_, "DELETE FROM delayed WHERE queue=?");
  delayed.bind(1, queue);
  return found.size() + static_cast<uint64_t>(delayed.exec());
}

bool QueueFile::IsWhole(int64_t queue, const Place& place, int64_t due, uint32_t checksum,
                        const std::string& record) {
  if (Checksum(queue, place, due, record) == checksum) return true;
  log::Error("a kept message (number {}) in {} is damaged: it is set aside in its table `damaged`", place.id,
             database_.getFilename());
  return false;
}

void QueueFile::SetAside(const char* table, int64_t id) {
  SQLite::Statement copy(
      database_,
      fmt::format("INSERT INTO damaged SELECT '{0}', id, queue, record FROM {0} WHERE id=?", table));
  copy.bind(1, id);
  copy.exec();
  SQLite::Statement erase(database_, fmt::format("DELETE FROM {} WHERE id=?", table));
  erase.bind(1, id);
  erase.exec();
}

}  // namespace llm_router
