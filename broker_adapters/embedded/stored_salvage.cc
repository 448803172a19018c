#include "broker_adapters/embedded/stored_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "broker_adapters/base/salvaged_tables.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/queue_record.h"
#include "broker_adapters/embedded/stored_schema.h"

namespace llm_router {
namespace {

constexpr int kRowsAtOnce = 4'096;

struct Channel {
  std::string name;
  uint64_t last_sequence = 0;
};

class Work {
 public:
  Work(SQLite::Database& damaged, SQLite::Database& fresh)
      : tables_(damaged),
        fresh_(fresh),
        insert_(fresh, "INSERT OR IGNORE INTO events VALUES(?,?,?,?,?,?,?)"),
        insert_place_(fresh, "INSERT OR IGNORE INTO places VALUES(?,?,?,?,?,?)") {}

  std::string Do() {
    fresh_.exec("BEGIN");
    tables_.Read("channels", "id, name, name_checksum, last_sequence, last_checksum",
                 [this](SQLite::Statement& row) { ReadChannel(row); });
    tables_.Read("events", "id, channel, sequence, stored_at, checksum, record",
                 [this](SQLite::Statement& row) { ReadEvent(row); });
    tables_.Read("places", "id, channel, client, grp, position, checksum",
                 [this](SQLite::Statement& row) { ReadPlace(row); });
    WriteChannels();
    fresh_.exec("COMMIT");
    return fmt::format(
        "{} stored events in {} channels and {} places of subscriptions are kept, {} of them were found "
        "damaged "
        "and are lost{}",
        events_, channels_.size(), places_, damaged_, tables_.Unreadable("events and places"));
  }

 private:
  void ReadChannel(SQLite::Statement& row) {
    const int64_t id = row.getColumn(0).getInt64();
    Channel channel;
    channel.name = BlobOf(row.getColumn(1));
    if (row.getColumn(2).getInt64() != NameChecksum(id, channel.name) || !names_.insert(channel.name).second)
      return;
    const auto last = static_cast<uint64_t>(row.getColumn(3).getInt64());
    // Otherwise it is that of its last event.
    if (row.getColumn(4).getInt64() == LastChecksum(id, last)) channel.last_sequence = last;
    channels_[id] = std::move(channel);
  }

  void ReadEvent(SQLite::Statement& row) {
    const int64_t id = row.getColumn(0).getInt64();
    const int64_t channel = row.getColumn(1).getInt64();
    const auto sequence = static_cast<uint64_t>(row.getColumn(2).getInt64());
    const int64_t stored_at = row.getColumn(3).getInt64();
    const int64_t checksum = row.getColumn(4).getInt64();
    const std::string record = BlobOf(row.getColumn(5));
    if (checksum != EventChecksum(channel, sequence, stored_at, record) || !Knows(channel, record)) {
      ++damaged_;
      return SetAside(id, channel, record);
    }
    Channel& of = channels_[channel];
    of.last_sequence = std::max(of.last_sequence, sequence);
    const Use use(insert_);
    insert_.bind(1, id);
    insert_.bind(2, channel);
    insert_.bind(3, static_cast<int64_t>(sequence));
    insert_.bind(4, stored_at);
    insert_.bind(5, static_cast<int64_t>(record.size()));
    insert_.bind(6, checksum);
    BindBlob(insert_, 7, record);
    if (insert_.exec() == 0) return;
    if (++events_ % kRowsAtOnce == 0) fresh_.exec("COMMIT; BEGIN");
  }

  void ReadPlace(SQLite::Statement& row) {
    StoredPlace place;
    place.id = row.getColumn(0).getInt64();
    place.channel = row.getColumn(1).getInt64();
    place.owner = StoredOwner(BlobOf(row.getColumn(2)), BlobOf(row.getColumn(3)));
    place.position = static_cast<uint64_t>(row.getColumn(4).getInt64());
    if (row.getColumn(5).getInt64() != PlaceChecksum(place) || !channels_.contains(place.channel)) {
      ++damaged_;
      return;
    }
    const Use use(insert_place_);
    insert_place_.bind(1, place.id);
    insert_place_.bind(2, place.channel);
    BindBlob(insert_place_, 3, place.owner.client_id);
    BindBlob(insert_place_, 4, place.owner.group);
    insert_place_.bind(5, static_cast<int64_t>(place.position));
    insert_place_.bind(6, PlaceChecksum(place));
    places_ += insert_place_.exec();
  }

  void SetAside(int64_t id, int64_t channel, const std::string& record) {
    SQLite::Statement insert(fresh_, "INSERT INTO damaged VALUES('events',?,?,?)");
    insert.bind(1, id);
    insert.bind(2, channel);
    BindBlob(insert, 3, record);
    insert.exec();
  }

  // A channel whose row is lost has its name from its events.
  bool Knows(int64_t channel, const std::string& record) {
    if (channels_.contains(channel)) return true;
    auto kept = Decode(record);
    if (!kept.ok() || kept->message.channel.empty() || !names_.insert(kept->message.channel).second)
      return false;
    channels_[channel].name = std::move(kept->message.channel);
    return true;
  }

  void WriteChannels() {
    SQLite::Statement insert(fresh_, "INSERT INTO channels VALUES(?,?,?,?,?)");
    for (const auto& [id, channel] : channels_) {
      const Use use(insert);
      insert.bind(1, id);
      BindBlob(insert, 2, channel.name);
      insert.bind(3, NameChecksum(id, channel.name));
      insert.bind(4, static_cast<int64_t>(channel.last_sequence));
      insert.bind(5, LastChecksum(id, channel.last_sequence));
      insert.exec();
    }
  }

  SalvagedTables tables_;
  SQLite::Database& fresh_;
  SQLite::Statement insert_;
  SQLite::Statement insert_place_;
  std::map<int64_t, Channel> channels_;
  std::set<std::string> names_;
  uint64_t events_ = 0;
  int64_t places_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace

std::string SalvageEvents(SQLite::Database& damaged, SQLite::Database& fresh) {
  return Work(damaged, fresh).Do();
}

}  // namespace llm_router
