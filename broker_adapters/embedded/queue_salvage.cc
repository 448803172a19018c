#include "broker_adapters/embedded/queue_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "broker_adapters/base/salvaged_tables.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/queue_file.h"

namespace llm_router {
namespace {

constexpr int kRowsAtOnce = 4'096;

struct Queue {
  std::string name;
  uint64_t last_sequence = 0;
  uint64_t dead = 0;
};

class Work {
 public:
  Work(SQLite::Database& damaged, SQLite::Database& fresh)
      : tables_(damaged),
        fresh_(fresh),
        insert_(fresh, "INSERT OR IGNORE INTO messages VALUES(?,?,?,?,?,?,?,?)"),
        insert_delayed_(fresh, "INSERT OR IGNORE INTO delayed VALUES(?,?,?,?,?,?,?,?)") {}

  std::string Do() {
    fresh_.exec("BEGIN");
    tables_.Read("queues", "id, name, last_sequence, dead, checksum",
                 [this](SQLite::Statement& row) { ReadQueue(row); });
    tables_.Read("messages", "id, queue, sequence, expires, deliveries, checksum, record",
                 [this](SQLite::Statement& row) { ReadMessage(row, false); });
    tables_.Read("delayed", "id, queue, due, expires, deliveries, checksum, record",
                 [this](SQLite::Statement& row) { ReadMessage(row, true); });
    WriteQueues();
    fresh_.exec("COMMIT");
    return fmt::format("{} messages in {} queues are kept, {} were found damaged and are lost{}", messages_,
                       queues_.size(), damaged_, tables_.Unreadable("messages"));
  }

 private:
  void ReadQueue(SQLite::Statement& row) {
    Queue queue;
    const int64_t id = row.getColumn(0).getInt64();
    queue.name = BlobOf(row.getColumn(1));
    queue.last_sequence = static_cast<uint64_t>(row.getColumn(2).getInt64());
    queue.dead = static_cast<uint64_t>(row.getColumn(3).getInt64());
    const int64_t checksum = row.getColumn(4).getInt64();
    if (checksum == QueueChecksum(id, queue.name, queue.last_sequence, queue.dead))
      queues_[id] = std::move(queue);
  }

  void ReadMessage(SQLite::Statement& row, bool is_delayed) {
    const int64_t queue = row.getColumn(1).getInt64();
    const int64_t sequence_or_due = row.getColumn(2).getInt64();
    Place place;
    place.id = row.getColumn(0).getInt64();
    place.sequence = is_delayed ? 0 : static_cast<uint64_t>(sequence_or_due);
    place.expires = row.getColumn(3).getInt64();
    place.deliveries = row.getColumn(4).getInt();
    const int64_t checksum = row.getColumn(5).getInt64();
    const std::string record = BlobOf(row.getColumn(6));
    if (checksum != Checksum(queue, place, is_delayed ? sequence_or_due : 0, record) ||
        !Knows(queue, record)) {
      ++damaged_;
      SetAside(is_delayed, place.id, queue, record);
      return;
    }
    Queue& of = queues_[queue];
    of.last_sequence = std::max(of.last_sequence, place.sequence);
    SQLite::Statement& insert = is_delayed ? insert_delayed_ : insert_;
    const Use use(insert);
    insert.bind(1, place.id);
    insert.bind(2, queue);
    insert.bind(3, sequence_or_due);
    insert.bind(4, place.expires);
    insert.bind(5, place.deliveries);
    insert.bind(6, static_cast<int64_t>(record.size()));
    insert.bind(7, checksum);
    BindBlob(insert, 8, record);
    if (insert.exec() == 0) return;
    if (++messages_ % kRowsAtOnce == 0) fresh_.exec("COMMIT; BEGIN");
  }

  void SetAside(bool is_delayed, int64_t id, int64_t queue, const std::string& record) {
    SQLite::Statement insert(fresh_, "INSERT INTO damaged VALUES(?,?,?,?)");
    insert.bind(1, is_delayed ? "delayed" : "messages");
    insert.bind(2, id);
    insert.bind(3, queue);
    BindBlob(insert, 4, record);
    insert.exec();
  }

  // A queue whose row is lost has its name from its messages.
  bool Knows(int64_t queue, const std::string& record) {
    if (queues_.contains(queue)) return true;
    auto kept = Decode(record);
    if (!kept.ok() || kept->message.channel.empty()) return false;
    queues_[queue].name = std::move(kept->message.channel);
    return true;
  }

  void WriteQueues() {
    SQLite::Statement insert(fresh_, "INSERT INTO queues VALUES(?,?,?,?,?)");
    for (const auto& [id, queue] : queues_) {
      const Use use(insert);
      insert.bind(1, id);
      BindBlob(insert, 2, queue.name);
      insert.bind(3, static_cast<int64_t>(queue.last_sequence));
      insert.bind(4, static_cast<int64_t>(queue.dead));
      insert.bind(5, static_cast<int64_t>(QueueChecksum(id, queue.name, queue.last_sequence, queue.dead)));
      insert.exec();
    }
  }

  SalvagedTables tables_;
  SQLite::Database& fresh_;
  SQLite::Statement insert_;
  SQLite::Statement insert_delayed_;
  std::map<int64_t, Queue> queues_;
  uint64_t messages_ = 0;  // carried over, delayed ones too
  uint64_t damaged_ = 0;   // read, and not as they were written
};

}  // namespace

std::string SalvageQueues(SQLite::Database& damaged, SQLite::Database& fresh) {
  return Work(damaged, fresh).Do();
}

}  // namespace llm_router
