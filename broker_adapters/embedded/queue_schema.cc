#include "broker_adapters/embedded/queue_schema.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <utility>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/queue_record.h"

namespace llm_router {
namespace {

constexpr int kVersion = 2;
constexpr int64_t kReadThrough = int64_t{32} * 1024 * 1024;  // bytes
constexpr size_t kPage = 4'096;                              // bytes, SQLite's own choice

// Whatever is kept is under a checksum, and a file has these and no others, so that a bit that turns around
// anywhere is seen. `bytes` and the indexes can be told from the rest.
constexpr const char* kSchema = R"(
CREATE TABLE format(version INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE queues(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, last_sequence INTEGER NOT NULL, dead INTEGER NOT NULL,
  checksum INTEGER NOT NULL);
CREATE TABLE messages(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, sequence INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX messages_of_queue ON messages(queue, id, bytes);
CREATE INDEX messages_expiring ON messages(expires) WHERE expires>0;
CREATE TABLE delayed(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, due INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX delayed_by_due ON delayed(due, id);
CREATE TABLE damaged(origin TEXT, id INTEGER, queue INTEGER, record BLOB);
)";

void Create(SQLite::Database& database) {
  SQLite::Transaction transaction(database);
  database.exec(kSchema);
  database.exec(fmt::format("INSERT INTO format VALUES({}, {})", kVersion, Checksum({kVersion}, "")));
  transaction.commit();
}

SQLite::Database Model() {
  SQLite::Database model(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  model.exec(fmt::format("PRAGMA page_size={}", kPage));
  model.exec("PRAGMA auto_vacuum=INCREMENTAL");
  Create(model);
  return model;
}

std::string TextOf(SQLite::Database& database) {
  return database
      .execAndGet(
          "SELECT group_concat(quote(type)||quote(name)||quote(tbl_name)||quote(rootpage)||quote(sql)) FROM "
          "(SELECT * FROM sqlite_master ORDER BY rowid)")
      .getString();
}

bool IsLater(SQLite::Database& database) {
  if (!database.tableExists("format")) return false;
  SQLite::Statement format(database, "SELECT version, checksum FROM format");
  if (!format.executeStep()) return false;
  const int64_t version = format.getColumn(0).getInt64();
  return version > kVersion && format.getColumn(1).getInt64() == Checksum({version}, "");
}

absl::Status Check(SQLite::Database& database) {
  if (IsLater(database)) {
    return absl::DataLossError(fmt::format("{} was written by a later version of this program: use that one",
                                           database.getFilename()));
  }
  if (!HasQueueTables(database)) return SqliteDamage("its list of tables is damaged");
  const int64_t pages = database.execAndGet("PRAGMA page_count").getInt64();
  if (pages * static_cast<int64_t>(kPage) > kReadThrough) return absl::OkStatus();
  const std::string found = database.execAndGet("PRAGMA integrity_check(1)").getString();
  return found == "ok" ? absl::OkStatus() : SqliteDamage(found);
}

// In a header numbers have their highest byte first.
void Put(std::string& page, size_t at, uint32_t number) {
  for (size_t i = 0; i < 4; ++i) page[at + i] = static_cast<char>(number >> (24 - 8 * i));
}

}  // namespace

absl::Status MakeQueueTables(SQLite::Database& database) {
  absl::Status checked = absl::OkStatus();
  RETURN_IF_ERROR(TrySqlite([&] {
    const bool is_new = database.execAndGet("PRAGMA page_count").getInt64() <= 1 && TextOf(database).empty();
    if (is_new) return Create(database);
    checked = Check(database);
  }));
  return checked;
}

bool HasQueueTables(SQLite::Database& database) {
  SQLite::Database model = Model();
  return TextOf(database) == TextOf(model);
}

std::string FirstPageOf(uint32_t pages) {
  constexpr size_t kJournal = 18;  // two bytes: 2 = WAL
  constexpr size_t kPages = 28;
  SQLite::Database model = Model();
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
      sqlite3_serialize(model.getHandle(), "main", &size, 0), sqlite3_free);
  std::string page(reinterpret_cast<const char*>(bytes.get()), kPage);
  page[kJournal] = page[kJournal + 1] = 2;
  Put(page, kPages, pages);
  return page;
}

}  // namespace llm_router
