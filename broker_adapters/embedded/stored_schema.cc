#include "broker_adapters/embedded/stored_schema.h"

#include "broker_adapters/embedded/queue_record.h"

namespace llm_router {
namespace {

// `events.id` is the order over all channels, by which the oldest go first.
constexpr const char* kSchema = R"(
CREATE TABLE channels(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, name_checksum INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL, last_checksum INTEGER NOT NULL);
CREATE TABLE events(
  id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, sequence INTEGER NOT NULL, stored_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX events_of_channel ON events(channel, sequence, bytes);
CREATE TABLE places(
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL, client BLOB NOT NULL, grp BLOB NOT NULL,
  position INTEGER NOT NULL, checksum INTEGER NOT NULL, UNIQUE(channel, client, grp));
CREATE TABLE damaged(origin TEXT, id INTEGER, channel INTEGER, record BLOB);
)";

}  // namespace

const SqliteModel& StoredModel() {
  static const SqliteModel model({kSchema});
  return model;
}

int64_t EventChecksum(int64_t channel, uint64_t sequence, int64_t stored_at, std::string_view record) {
  return Checksum({channel, static_cast<int64_t>(sequence), stored_at}, record);
}

int64_t NameChecksum(int64_t channel, std::string_view name) { return Checksum({channel}, name); }

int64_t LastChecksum(int64_t channel, uint64_t last_sequence) {
  return Checksum({channel, static_cast<int64_t>(last_sequence)}, "");
}

int64_t PlaceChecksum(const StoredPlace& place) {
  return Checksum({place.id, place.channel, static_cast<int64_t>(place.position),
                   static_cast<int64_t>(place.owner.client_id.size())},
                  place.owner.client_id + place.owner.group);
}

}  // namespace llm_router
