#include "broker_adapters/embedded/queue_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/queue_file.h"
#include "broker_adapters/embedded/queue_schema.h"
#include "broker_adapters/embedded/salvaged_rows.h"

namespace llm_router {
namespace {

constexpr int kRowsAtOnce = 4'096;
constexpr uintmax_t kPage = 4'096;

struct Queue {
  std::string name;
  uint64_t last_sequence = 0;
  uint64_t dead = 0;
};

class Work {
 public:
  Work(SQLite::Database& damaged, SQLite::Database& fresh)
      : damaged_(damaged),
        fresh_(fresh),
        insert_(fresh, "INSERT OR IGNORE INTO messages VALUES(?,?,?,?,?,?,?,?)"),
        insert_delayed_(fresh, "INSERT OR IGNORE INTO delayed VALUES(?,?,?,?,?,?,?,?)") {}

  Salvaged Do() {
    fresh_.exec("BEGIN");
    Read("queues", "id, name, last_sequence, dead, checksum",
         [this](SQLite::Statement& row) { ReadQueue(row); });
    Read("messages", "id, queue, sequence, expires, deliveries, checksum, record",
         [this](SQLite::Statement& row) { ReadMessage(row, false); });
    Read("delayed", "id, queue, due, expires, deliveries, checksum, record",
         [this](SQLite::Statement& row) { ReadMessage(row, true); });
    WriteQueues();
    fresh_.exec("COMMIT");
    salvaged_.queues = queues_.size();
    return salvaged_;
  }

 private:
  void Read(const char* table, const char* columns, const SalvagedRows::Visit& visit) {
    SalvagedRows rows(damaged_, table, columns);
    rows.ForEach(visit);
    salvaged_.unreadable += rows.unreadable();
    salvaged_.gave_up |= rows.gave_up();
  }

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
      ++salvaged_.damaged;
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
    if (++salvaged_.messages % kRowsAtOnce == 0) fresh_.exec("COMMIT; BEGIN");
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

  SQLite::Database& damaged_;
  SQLite::Database& fresh_;
  SQLite::Statement insert_;
  SQLite::Statement insert_delayed_;
  std::map<int64_t, Queue> queues_;
  Salvaged salvaged_;
};

// Takes also a file that is shorter than it says.
std::unique_ptr<SQLite::Database> OpenDamaged(const std::filesystem::path& path) {
  auto database = std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READWRITE);
  database->exec("PRAGMA locking_mode=EXCLUSIVE");
  database->exec("PRAGMA writable_schema=ON");
  return database;
}

bool IsListWhole(const std::filesystem::path& path) {
  bool is_whole = false;
  const absl::Status looked = TrySqlite([&] { is_whole = HasQueueTables(*OpenDamaged(path)); });
  return looked.ok() && is_whole;
}

// Each table begins where it does in every such file.
void PutFirstPage(const std::filesystem::path& path) {
  const uintmax_t pages = std::max<uintmax_t>(std::filesystem::file_size(path) / kPage, 1);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string page = FirstPageOf(static_cast<uint32_t>(pages));
  file.write(page.data(), static_cast<std::streamsize>(page.size()));
}

}  // namespace

absl::StatusOr<Salvaged> Salvage(const std::filesystem::path& damaged, SQLite::Database& fresh) {
  if (!IsListWhole(damaged)) PutFirstPage(damaged);
  Salvaged salvaged;
  RETURN_IF_ERROR(TrySqlite([&] {
    const auto from = OpenDamaged(damaged);
    salvaged = Work(*from, fresh).Do();
  }));
  return salvaged;
}

}  // namespace llm_router
