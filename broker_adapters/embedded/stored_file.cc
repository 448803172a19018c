#include "broker_adapters/embedded/stored_file.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr int kVersion = 1;
constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

// `events.id` is the order over all channels, by which the oldest go first.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS channels(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, name_checksum INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL, last_checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events(
  id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, sequence INTEGER NOT NULL, stored_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS events_of_channel ON events(channel, sequence, bytes);
CREATE TABLE IF NOT EXISTS places(
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL, client BLOB NOT NULL, grp BLOB NOT NULL,
  position INTEGER NOT NULL, checksum INTEGER NOT NULL, UNIQUE(channel, client, grp));
CREATE TABLE IF NOT EXISTS damaged(origin TEXT, id INTEGER, channel INTEGER, record BLOB);
)";

// Over bytes and the numbers that say whose they are and what they mean.
template <size_t kCount>
int64_t ChecksumOf(const std::array<int64_t, kCount>& numbers, std::string_view bytes) {
  uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(numbers.data()), sizeof(numbers));
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return static_cast<int64_t>(sum);
}

int64_t EventChecksum(int64_t channel, uint64_t sequence, int64_t stored_at, std::string_view record) {
  return ChecksumOf(std::array{channel, static_cast<int64_t>(sequence), stored_at}, record);
}

int64_t NameChecksum(int64_t channel, std::string_view name) { return ChecksumOf(std::array{channel}, name); }

int64_t LastChecksum(int64_t channel, uint64_t last) {
  return ChecksumOf(std::array{channel, static_cast<int64_t>(last)}, "");
}

int64_t PlaceChecksum(const StoredPlace& place) {
  const std::array numbers{place.id, static_cast<int64_t>(place.position),
                           static_cast<int64_t>(place.owner.client_id.size())};
  return ChecksumOf(numbers, place.owner.client_id + place.owner.group);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoredFile>> StoredFile::Open(SQLite::Database& database) {
  RETURN_IF_ERROR(MakeTables(database, kVersion, kSchema));
  std::unique_ptr<StoredFile> file;
  RETURN_IF_ERROR(TrySqlite([&] {
    file.reset(new StoredFile(database));
    SQLite::Transaction transaction(database);
    file->Mend(file->ReadChannels());
    file->Count();
    transaction.commit();
  }));
  return file;
}

StoredFile::StoredFile(SQLite::Database& database)
    : database_(database),
      insert_(
          database,
          "INSERT INTO events(channel, sequence, stored_at, bytes, checksum, record) VALUES(?,?,?,?,?,?)"),
      read_(database,
            "SELECT id, sequence, stored_at, checksum, record FROM events INDEXED BY events_of_channel WHERE "
            "channel=? AND sequence>? ORDER BY sequence LIMIT ?"),
      keep_last_(database, "UPDATE channels SET last_sequence=?, last_checksum=? WHERE id=?"),
      move_(database, "UPDATE places SET position=?, checksum=? WHERE id=?"),
      next_(database,
            "SELECT sequence, stored_at FROM events INDEXED BY events_of_channel WHERE channel=? AND "
            "sequence>=? ORDER BY sequence LIMIT 1") {}

StoredFile::Damage StoredFile::ReadChannels() {
  known_.clear();
  ids_.clear();
  Damage damage;
  {
    SQLite::Statement read(database_,
                           "SELECT id, name, name_checksum, last_sequence, last_checksum FROM channels");
    while (read.executeStep()) {
      const int64_t id = read.getColumn(0).getInt64();
      Known known;
      known.name = BlobOf(read.getColumn(1));
      known.last_sequence = static_cast<uint64_t>(read.getColumn(3).getInt64());
      if (read.getColumn(2).getInt64() != NameChecksum(id, known.name)) {
        damage.nameless.push_back(id);
        continue;
      }
      if (read.getColumn(4).getInt64() != LastChecksum(id, known.last_sequence))
        damage.uncounted.push_back(id);
      ids_[known.name] = id;
      known_[id] = std::move(known);
    }
  }
  return damage;
}

void StoredFile::Mend(const Damage& damage) {
  for (const int64_t id : damage.uncounted) {
    known_[id].last_sequence = LastWhole(id);
    KeepLast(id, known_[id]);
  }
  for (const int64_t id : damage.nameless) SetChannelAside(id);
}

// Whose its events are can't be told any more: none is served, and age removes them.
void StoredFile::SetChannelAside(int64_t id) {
  log::Error("the name of a channel (number {}) of stored events in {} is damaged: its events are not served",
             id, database_.getFilename());
  SQLite::Statement copy(database_,
                         "INSERT INTO damaged SELECT 'channels', id, id, name FROM channels WHERE id=?");
  copy.bind(1, id);
  copy.exec();
  SQLite::Statement erase(database_, "DELETE FROM channels WHERE id=?");
  erase.bind(1, id);
  erase.exec();
}

void StoredFile::Count() {
  SQLite::Statement count(database_,
                          "SELECT COUNT(*), TOTAL(bytes), MIN(sequence) FROM events INDEXED BY "
                          "events_of_channel WHERE channel=?");
  for (const auto& [id, known] : known_) {
    Channel& channel = channels_.emplace_back();
    channel.totals.name = known.name;
    channel.totals.last_sequence = known.last_sequence;
    {
      const Use use(count);
      count.bind(1, id);
      count.executeStep();
      channel.totals.events = static_cast<uint64_t>(count.getColumn(0).getInt64());
      channel.totals.bytes = static_cast<uint64_t>(count.getColumn(1).getDouble());
      channel.totals.first_sequence = static_cast<uint64_t>(count.getColumn(2).getInt64());
    }
    const Use use(next_);
    next_.bind(1, id);
    next_.bind(2, static_cast<int64_t>(known.last_sequence));
    if (next_.executeStep()) channel.totals.last_at = next_.getColumn(1).getInt64();
    channel.places = PlacesOf(id);
  }
}

std::vector<StoredPlace> StoredFile::PlacesOf(int64_t channel) {
  std::vector<StoredPlace> places, damaged;
  {
    SQLite::Statement read(database_,
                           "SELECT id, client, grp, position, checksum FROM places WHERE channel=?");
    read.bind(1, channel);
    while (read.executeStep()) {
      StoredPlace& place = places.emplace_back();
      place.id = read.getColumn(0).getInt64();
      place.owner = StoredOwner(BlobOf(read.getColumn(1)), BlobOf(read.getColumn(2)));
      place.position = static_cast<uint64_t>(read.getColumn(3).getInt64());
      if (read.getColumn(4).getInt64() == PlaceChecksum(place)) continue;
      place.position = 0;
      damaged.push_back(place);
    }
  }
  for (const StoredPlace& place : damaged) {
    log::Error("a subscription's place in the stored events of {} was damaged: its events come again",
               known_[channel].name);
    Move(place);
  }
  return places;
}

// Mends nothing: the disk may be about to fail. What can't be read now is known again after the next failure.
void StoredFile::RolledBack() { (void)ReadChannels(); }

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

uint64_t StoredFile::LastWhole(int64_t channel) {
  SQLite::Statement read(database_,
                         "SELECT sequence, stored_at, checksum, record FROM events INDEXED BY "
                         "events_of_channel WHERE channel=? ORDER BY sequence DESC");
  read.bind(1, channel);
  while (read.executeStep()) {
    const auto sequence = static_cast<uint64_t>(read.getColumn(0).getInt64());
    const int64_t wanted =
        EventChecksum(channel, sequence, read.getColumn(1).getInt64(), BlobOf(read.getColumn(3)));
    if (read.getColumn(2).getInt64() == wanted) return sequence;
  }
  return 0;
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

StoredPlace StoredFile::FindOrMake(const std::string& name, const StoredOwner& owner,
                                   const StoredStart& start) {
  const int64_t channel = ChannelId(name);
  StoredPlace place;
  place.owner = owner;
  SQLite::Statement find(database_, "SELECT id, position FROM places WHERE channel=? AND client=? AND grp=?");
  find.bind(1, channel);
  BindBlob(find, 2, owner.client_id);
  BindBlob(find, 3, owner.group);
  if (find.executeStep()) {
    place.id = find.getColumn(0).getInt64();
    place.position = static_cast<uint64_t>(find.getColumn(1).getInt64());
    return place;
  }
  SQLite::Statement make(database_,
                         "INSERT INTO places(channel, client, grp, position, checksum) "
                         "VALUES(?,?,?,0,0)");
  make.bind(1, channel);
  BindBlob(make, 2, owner.client_id);
  BindBlob(make, 3, owner.group);
  make.exec();
  place.id = database_.getLastInsertRowid();
  place.position = PositionOf(channel, start);
  Move(place);
  return place;
}

void StoredFile::Move(const StoredPlace& place) {
  const Use use(move_);
  move_.bind(1, static_cast<int64_t>(place.position));
  move_.bind(2, PlaceChecksum(place));
  move_.bind(3, place.id);
  move_.exec();
}

uint64_t StoredFile::PositionOf(int64_t channel, const StoredStart& start) {
  const uint64_t last = known_[channel].last_sequence;
  switch (start.from) {
    case StoredStart::From::kNew:
      return last;
    case StoredStart::From::kFirst:
      return 0;
    case StoredStart::From::kLast:
      return last == 0 ? 0 : last - 1;
    case StoredStart::From::kSequence:
      return start.sequence == 0 ? 0 : std::min(start.sequence, kMostSequence) - 1;
    case StoredStart::From::kTime:
      return PositionBefore(channel, start.time);
  }
  return last;
}

// By halves: within a channel later numbers are of later times, but for a clock that was set back.
uint64_t StoredFile::PositionBefore(int64_t channel, int64_t time) {
  uint64_t before = FirstOf(channel) - 1;
  uint64_t after = known_[channel].last_sequence + 1;
  while (before + 1 < after) {
    const uint64_t middle = before + (after - before) / 2;
    const Use use(next_);
    next_.bind(1, channel);
    next_.bind(2, static_cast<int64_t>(middle));
    // Where the number itself is gone, the next that is there stands for it.
    if (!next_.executeStep() || next_.getColumn(1).getInt64() >= time) {
      after = middle;
    } else {
      before = middle;
    }
  }
  return before;
}

uint64_t StoredFile::FirstOf(int64_t channel) {
  const Use use(next_);
  next_.bind(1, channel);
  next_.bind(2, int64_t{1});
  if (next_.executeStep()) return static_cast<uint64_t>(next_.getColumn(0).getInt64());
  return known_[channel].last_sequence + 1;
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
