// StoredFile: the stored events of the embedded broker as they lie on disk, and how far who has read them.
//
// Every record carries a checksum; an event whose does not hold is moved to `damaged` with a line in the log,
// and never served. A damaged place falls back to the first event: events come again, none is skipped. Commit
// thread only (base/commit_thread.h), in its transactions; failures of SQLite leave as its exceptions.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/stored_events.h"

namespace llm_router {

// Whose place it is: one of the two is empty.
struct StoredOwner {
  StoredOwner() = default;
  StoredOwner(std::string of_client, std::string of_group)
      : client_id(std::move(of_client)), group(std::move(of_group)) {}

  auto operator<=>(const StoredOwner&) const = default;

  std::string client_id;
  std::string group;
};

// How far an owner has read: everything up to `position` is acknowledged.
struct StoredPlace {
  StoredPlace() = default;

  int64_t id = 0;
  int64_t channel = 0;  // its number in the file
  StoredOwner owner;
  uint64_t position = 0;
};

class StoredFile {
 public:
  // Makes the tables where they are not there; data_loss for a file of a later version, damage
  // (base/sqlite.h) for one that is to be repaired.
  static absl::StatusOr<std::unique_ptr<StoredFile>> Open(SQLite::Database& database);

  // What there is of a channel when the file is opened.
  struct Channel {
    StoredTotals totals;
    std::vector<StoredPlace> places;
  };
  const std::vector<Channel>& channels() const { return channels_; }

  // A transaction was taken back: what is known is read again.
  void RolledBack();

  // Appends to a channel.
  struct Added {
    uint64_t sequence = 0;
    int64_t stored_at = 0;
  };
  Added Add(const std::string& channel, const std::string& record, int64_t now);

  // Up to `most` events of a channel after `after`, in order, of about `most_bytes`.
  struct Row {
    uint64_t sequence = 0;
    int64_t stored_at = 0;
    std::string record;
  };
  struct Page {
    std::vector<Row> events;
    uint64_t read_to = 0;  // what is up to here and not in `events` is not there
    uint64_t damaged = 0;  // set aside on the way
    uint64_t damaged_bytes = 0;
  };
  Page Read(const std::string& channel, uint64_t after, size_t most, size_t most_bytes);

  // The owner's place in a channel, made at `start` where there is none.
  StoredPlace FindOrMake(const std::string& channel, const StoredOwner& owner, const StoredStart& start);
  void Move(const StoredPlace& place);

  // Removes up to `most` of the oldest events: those before `before` (Unix ns), and more until `bytes` are
  // removed.
  struct Erased {
    uint64_t events = 0;
    uint64_t bytes = 0;
    uint64_t last_sequence = 0;
  };
  std::map<std::string, Erased> EraseOldest(int64_t before, uint64_t bytes, size_t most);

  // Removes all events of a channel; how many. `whole`: the channel and its places too.
  uint64_t Purge(const std::string& channel, bool whole);

 private:
  explicit StoredFile(SQLite::Database& database);

  struct Known {
    std::string name;
    uint64_t last_sequence = 0;
  };

  // Channels whose names, or whose last numbers, are not what was written.
  struct Damage {
    std::vector<int64_t> nameless, uncounted;
  };

  Damage ReadChannels();
  void Mend(const Damage& damage);
  void Count();
  std::vector<StoredPlace> PlacesOf(int64_t channel);
  int64_t ChannelId(const std::string& name);
  void KeepLast(int64_t channel, const Known& known);
  uint64_t LastWhole(int64_t channel);
  uint64_t PositionOf(int64_t channel, const StoredStart& start);
  uint64_t PositionBefore(int64_t channel, int64_t time);
  uint64_t FirstOf(int64_t channel);
  void SetAside(int64_t id);
  void SetChannelAside(int64_t id);

  SQLite::Database& database_;
  std::vector<Channel> channels_;
  std::map<int64_t, Known> known_;
  std::map<std::string, int64_t, std::less<>> ids_;
  SQLite::Statement insert_;
  SQLite::Statement read_;
  SQLite::Statement keep_last_;
  SQLite::Statement move_;
  SQLite::Statement next_;
};

}  // namespace llm_router
