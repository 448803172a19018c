// Opening a file of stored events: what there is, and what of it is mended.
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/stored_file.h"
#include "broker_adapters/embedded/stored_schema.h"

namespace llm_router {

absl::StatusOr<std::unique_ptr<StoredFile>> StoredFile::Open(SQLite::Database& database) {
  RETURN_IF_ERROR(StoredModel().MakeOrCheck(database));
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

// Mends nothing: the disk may be about to fail. What can't be read now is known again after the next failure.
void StoredFile::RolledBack() { (void)ReadChannels(); }

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

}  // namespace llm_router
