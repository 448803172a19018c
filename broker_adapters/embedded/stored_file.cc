#include "broker_adapters/embedded/stored_file.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/stored_schema.h"

namespace llm_router {
namespace {

constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

}  // namespace

int64_t StoredFile::ChannelId(const std::string& name) {
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  SQLite::Statement make(database_,
                         "INSERT INTO channels SELECT MAX(COALESCE((SELECT MAX(id) FROM channels), 0),"
                         "COALESCE((SELECT MAX(channel) FROM events INDEXED BY events_of_channel), 0))+1, "
                         "?, 0, 0, 0");
  BindBlob(make, 1, name);
  make.exec();
  const int64_t id = database_.getLastInsertRowid();
  SQLite::Statement sign(database_, "UPDATE channels SET name_checksum=? WHERE id=?");
  sign.bind(1, NameChecksum(id, name));
  sign.bind(2, id);
  sign.exec();
  ids_[name] = id;
  Known& known = known_[id];
  known.name = name;
  KeepLast(id, known);
  return id;
}

void StoredFile::KeepLast(int64_t channel, const Known& known) {
  const Use use(keep_last_);
  keep_last_.bind(1, static_cast<int64_t>(known.last_sequence));
  keep_last_.bind(2, LastChecksum(channel, known.last_sequence));
  keep_last_.bind(3, channel);
  keep_last_.exec();
}

StoredFile::Added StoredFile::Add(const std::string& name, const std::string& record, int64_t now) {
  const int64_t channel = ChannelId(name);
  Known& known = known_[channel];
  Added added;
  added.sequence = ++known.last_sequence;
  added.stored_at = now;
  KeepLast(channel, known);
  const Use use(insert_);
  insert_.bind(1, channel);
  insert_.bind(2, static_cast<int64_t>(added.sequence));
  insert_.bind(3, now);
  insert_.bind(4, static_cast<int64_t>(record.size()));
  insert_.bind(5, EventChecksum(channel, added.sequence, now, record));
  BindBlob(insert_, 6, record);
  insert_.exec();
  return added;
}

StoredFile::Page StoredFile::Read(const std::string& name, uint64_t after, size_t most, size_t most_bytes) {
  Page page;
  const int64_t channel = ChannelId(name);
  page.read_to = std::max(after, known_[channel].last_sequence);
  std::vector<int64_t> damaged;
  {
    const Use use(read_);
    read_.bind(1, channel);
    read_.bind(2, static_cast<int64_t>(std::min(after, kMostSequence)));
    read_.bind(3, static_cast<int64_t>(most));
    size_t bytes = 0, rows = 0;
    for (; rows < most && bytes < most_bytes && read_.executeStep(); ++rows) {
      Row row;
      row.sequence = static_cast<uint64_t>(read_.getColumn(1).getInt64());
      row.stored_at = read_.getColumn(2).getInt64();
      row.record = BlobOf(read_.getColumn(4));
      bytes += row.record.size();
      if (read_.getColumn(3).getInt64() == EventChecksum(channel, row.sequence, row.stored_at, row.record)) {
        after = row.sequence;
        page.events.push_back(std::move(row));
      } else {
        damaged.push_back(read_.getColumn(0).getInt64());
        page.damaged_bytes += row.record.size();
      }
    }
    // Stopped short: as far as what is whole goes. A damaged row's own number says nothing.
    if (rows == most || bytes >= most_bytes) page.read_to = after;
  }
  for (const int64_t id : damaged) SetAside(id);
  page.damaged = damaged.size();
  return page;
}

void StoredFile::SetAside(int64_t id) {
  log::Error("a stored event (number {}) in {} is damaged: it is set aside in its table `damaged`", id,
             database_.getFilename());
  SQLite::Statement copy(database_,
                         "INSERT INTO damaged SELECT 'events', id, channel, record FROM events WHERE id=?");
  copy.bind(1, id);
  copy.exec();
  SQLite::Statement erase(database_, "DELETE FROM events WHERE id=?");
  erase.bind(1, id);
  erase.exec();
}

std::map<std::string, StoredFile::Erased> StoredFile::EraseOldest(int64_t before, uint64_t bytes,
                                                                  size_t most) {
  std::map<std::string, Erased> all;
  int64_t last = -1;
  {
    SQLite::Statement find(database_,
                           "SELECT id, channel, sequence, stored_at, bytes FROM events ORDER BY id LIMIT ?");
    find.bind(1, static_cast<int64_t>(most));
    uint64_t removed = 0;
    while (find.executeStep()) {
      if (find.getColumn(3).getInt64() >= before && removed >= bytes) break;
      last = find.getColumn(0).getInt64();
      const auto size = static_cast<uint64_t>(find.getColumn(4).getInt64());
      removed += size;
      const auto known = known_.find(find.getColumn(1).getInt64());
      if (known == known_.end()) continue;
      Erased& erased = all[known->second.name];
      ++erased.events;
      erased.bytes += size;
      erased.last_sequence = static_cast<uint64_t>(find.getColumn(2).getInt64());
    }
  }
  SQLite::Statement erase(database_, "DELETE FROM events WHERE id<=?");
  erase.bind(1, last);
  erase.exec();
  return all;
}

uint64_t StoredFile::Purge(const std::string& name, bool whole) {
  const auto found = ids_.find(name);
  if (found == ids_.end()) return 0;
  const int64_t channel = found->second;
  const auto erase = [&](const char* what) {
    SQLite::Statement statement(database_, what);
    statement.bind(1, channel);
    return static_cast<uint64_t>(statement.exec());
  };
  const uint64_t events = erase("DELETE FROM events WHERE channel=?");
  if (!whole) return events;
  erase("DELETE FROM places WHERE channel=?");
  erase("DELETE FROM channels WHERE id=?");
  known_.erase(channel);
  ids_.erase(found);
  return events;
}

}  // namespace llm_router
