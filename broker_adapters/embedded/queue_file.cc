#include "broker_adapters/embedded/queue_file.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/queue_file_row.h"
#include "broker_adapters/embedded/queue_schema.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

// Kept free for acknowledgements, which need room in the WAL, and for the file to take the WAL in.
constexpr uint64_t kReserve = uint64_t{16} * 1024 * 1024;
constexpr int64_t kMostFreePages = 4'096;  // 16 MiB within the file, for what comes next

}  // namespace

uint32_t QueueChecksum(int64_t id, const std::string& name, uint64_t last_sequence, uint64_t dead) {
  return Checksum({id, static_cast<int64_t>(last_sequence), static_cast<int64_t>(dead)}, name);
}

absl::StatusOr<std::unique_ptr<QueueFile>> QueueFile::Open(SQLite::Database& database) {
  RETURN_IF_ERROR(QueueModel().MakeOrCheck(database));
  std::unique_ptr<QueueFile> file;
  RETURN_IF_ERROR(TrySqlite([&] {
    file.reset(new QueueFile(database));
    file->CountQueues();
    file->CountMessages(
        "SELECT queue, COUNT(*), TOTAL(bytes) FROM messages INDEXED BY messages_of_queue GROUP BY queue",
        &QueueCount::messages);
    file->CountMessages("SELECT queue, COUNT(*), TOTAL(bytes) FROM delayed GROUP BY queue",
                        &QueueCount::delayed);
    // Ids are never used twice, for a window in memory knows a message by its id: also those of `delayed`
    // count.
    file->FindLast("messages", file->fetch_, false);
    file->FindLast("delayed", file->fetch_delayed_, true);
    file->first_due_ = file->NextDue();
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
            "SELECT id, queue, sequence, expires, deliveries, checksum, record FROM messages INDEXED BY "
            "messages_of_queue WHERE queue=? AND id>? ORDER BY id LIMIT ?"),
      due_(database, "SELECT id FROM delayed WHERE due<=? ORDER BY due, id LIMIT ?"),
      next_due_(database, "SELECT MIN(due) FROM delayed"),
      fetch_(
          database,
          "SELECT id, queue, sequence, expires, deliveries, checksum, record FROM messages NOT INDEXED WHERE "
          "id=?"),
      fetch_delayed_(database,
                     "SELECT id, queue, due, expires, deliveries, checksum, record FROM delayed NOT INDEXED "
                     "WHERE id=?"),
      put_queue_(database,
                 "INSERT INTO queues VALUES(?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET "
                 "last_sequence=excluded.last_sequence, dead=excluded.dead, checksum=excluded.checksum"),
      free_pages_(database, "PRAGMA freelist_count") {}

void QueueFile::CountQueues() {
  SQLite::Statement queues(database_,
                           "SELECT id, name, last_sequence, dead, checksum FROM queues ORDER BY id");
  while (queues.executeStep()) {
    QueueCount& count = counts_.emplace_back();
    count.id = queues.getColumn(0).getInt64();
    count.name = BlobOf(queues.getColumn(1));
    count.last_sequence = static_cast<uint64_t>(queues.getColumn(2).getInt64());
    count.dead = static_cast<uint64_t>(queues.getColumn(3).getInt64());
    const int64_t checksum = queues.getColumn(4).getInt64();
    if (checksum != QueueChecksum(count.id, count.name, count.last_sequence, count.dead)) {
      ThrowDamage("the name or the counts of a queue are damaged");
    }
    ids_[count.name] = count.id;
    queues_[count.id] = {count.name, count.last_sequence, count.dead};
  }
}

void QueueFile::CountMessages(const char* select, uint64_t QueueCount::* count) {
  SQLite::Statement messages(database_, select);
  while (messages.executeStep()) {
    const int64_t id = messages.getColumn(0).getInt64();
    const auto queue = std::lower_bound(counts_.begin(), counts_.end(), id,
                                        [](const QueueCount& of, int64_t wanted) { return of.id < wanted; });
    if (queue == counts_.end() || queue->id != id) ThrowDamage("a message belongs to no queue");
    (*queue).*count = static_cast<uint64_t>(messages.getColumn(1).getInt64());
    queue->bytes += static_cast<uint64_t>(std::max(messages.getColumn(2).getDouble(), 0.0));
  }
}

void QueueFile::FindLast(const char* table, SQLite::Statement& fetch, bool is_delayed) {
  SQLite::Statement last(database_, fmt::format("SELECT id FROM {} ORDER BY id DESC LIMIT 1", table));
  if (!last.executeStep()) return;
  const auto row = Fetch(fetch, last.getColumn(0).getInt64());
  if (!row || !row->IsWhole(is_delayed)) ThrowDamage("the last message is damaged");
  last_id_ = std::max(last_id_, row->id);
}

int64_t QueueFile::NextDue() {
  const Use use(next_due_);
  return next_due_.executeStep() ? next_due_.getColumn(0).getInt64() : 0;
}

QueueFile::Known& QueueFile::Change(int64_t queue) {
  Known& known = queues_.at(queue);
  before_.try_emplace(queue, known);
  return known;
}

int64_t QueueFile::QueueId(const std::string& name) {
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  const int64_t id = queues_.empty() ? 1 : queues_.rbegin()->first + 1;
  ids_[name] = id;
  queues_[id].name = name;
  before_.emplace(id, std::nullopt);
  return id;
}

void QueueFile::BeforeCommit() {
  for (const auto& [id, before] : before_) {
    const Known& known = queues_.at(id);
    const Use use(put_queue_);
    put_queue_.bind(1, id);
    BindBlob(put_queue_, 2, known.name);
    put_queue_.bind(3, static_cast<int64_t>(known.last_sequence));
    put_queue_.bind(4, static_cast<int64_t>(known.dead));
    put_queue_.bind(5, static_cast<int64_t>(QueueChecksum(id, known.name, known.last_sequence, known.dead)));
    put_queue_.exec();
  }
  const Use use(free_pages_);
  free_pages_.executeStep();
  // A little at a time: each page given back is one moved and written.
  if (free_pages_.getColumn(0).getInt64() > kMostFreePages) database_.exec("PRAGMA incremental_vacuum(64)");
}

void QueueFile::Committed() {
  before_.clear();
  room_.reset();
}

void QueueFile::RolledBack() {
  for (const auto& [id, before] : before_) {
    if (before) {
      queues_[id] = *before;
    } else {
      ids_.erase(queues_[id].name);
      queues_.erase(id);
    }
  }
  Committed();
}

void QueueFile::FindRoom() {
  struct statvfs disk{};
  room_ = std::numeric_limits<uint64_t>::max();
  if (statvfs(database_.getFilename().c_str(), &disk) != 0) return;
  const uint64_t left = uint64_t{disk.f_bavail} * disk.f_frsize;
  room_ = left - std::min({kReserve, uint64_t{disk.f_blocks} * disk.f_frsize / 8, left});
}

absl::Status QueueFile::CheckRoom(size_t bytes) {
  if (!room_) FindRoom();
  // Once in the WAL, and once when the file takes it in.
  const uint64_t needed = uint64_t{bytes} * 2;
  if (needed > *room_) {
    return MakeFault(
        Fault::kStorageFailed,
        fmt::format("the disk is full: {} has {} bytes left beside what acknowledgements need, and "
                    "this would take {}: make room, and try again",
                    database_.getFilename(), *room_, needed));
  }
  *room_ -= needed;
  return absl::OkStatus();
}

Place QueueFile::Add(int64_t queue, const std::string& record, int64_t expires, int deliveries) {
  Place place;
  place.id = ++last_id_;
  place.sequence = ++Change(queue).last_sequence;
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
  (void)Change(queue);
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

bool QueueFile::Erase(int64_t id) {
  const Use use(erase_);
  erase_.bind(1, id);
  return erase_.exec() > 0;
}

void QueueFile::CountDead(int64_t queue) { ++Change(queue).dead; }

}  // namespace llm_router
