// How far who has read: finding a place, and moving it.
#include <algorithm>
#include <limits>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/stored_file.h"
#include "broker_adapters/embedded/stored_schema.h"

namespace llm_router {
namespace {

constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

}  // namespace

std::vector<StoredPlace> StoredFile::PlacesOf(int64_t channel) {
  std::vector<StoredPlace> places, damaged;
  {
    SQLite::Statement read(database_,
                           "SELECT id, client, grp, position, checksum FROM places WHERE channel=?");
    read.bind(1, channel);
    while (read.executeStep()) {
      StoredPlace& place = places.emplace_back();
      place.channel = channel;
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

StoredPlace StoredFile::FindOrMake(const std::string& name, const StoredOwner& owner,
                                   const StoredStart& start) {
  const int64_t channel = ChannelId(name);
  StoredPlace place;
  place.channel = channel;
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

}  // namespace llm_router
