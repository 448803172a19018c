#include "broker_adapters/base/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <string_view>
#include <system_error>

#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

// The remedy for what can happen to any disk.
std::string_view RemedyFor(int code) {
  switch (code) {
    case SQLITE_FULL:
      return "the disk is full: make room, and send again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "it can't be written: check the folder's owner and rights, and that the disk is not read-only";
    case SQLITE_BUSY:
      return "another process uses it: give each process a folder of its own";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged";
    default:
      return "the disk or the file system failed: see the system's log";
  }
}

void Prepare(SQLite::Database& database) {
  // Exclusive: a second process is refused, and no shared memory is needed.
  database.exec("PRAGMA locking_mode=EXCLUSIVE");
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA synchronous=FULL");
  database.exec("PRAGMA temp_store=MEMORY");
  // Takes the lock, and shows a file that is none.
  database.exec("BEGIN EXCLUSIVE; COMMIT");
}

}  // namespace

absl::Status SqliteFailure(const SQLite::Exception& failure) {
  return absl::DataLossError(
      fmt::format("{} ({})", RemedyFor(failure.getErrorCode() & 0xFF), failure.what()));
}

absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenSqlite(const std::filesystem::path& file,
                                                             const std::string& vfs) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    return absl::DataLossError(fmt::format("cannot make the folder {}: {}: check its owner and rights",
                                           file.parent_path().string(), error.message()));
  }
  std::unique_ptr<SQLite::Database> database;
  absl::Status opened = TrySqlite([&] {
    database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                                  0, vfs);
    Prepare(*database);
  });
  if (!opened.ok()) return Annotate(std::move(opened), file.string());
  return database;
}

absl::Status MakeTables(SQLite::Database& database, int version, const char* schema) {
  bool is_later = false;
  absl::Status made = TrySqlite([&] {
    is_later = database.execAndGet("PRAGMA user_version").getInt() > version;
    if (is_later) return;
    SQLite::Transaction transaction(database);
    database.exec(schema);
    database.exec(fmt::format("PRAGMA user_version={}", version));
    transaction.commit();
  });
  if (!made.ok() || !is_later) return made;
  return absl::DataLossError(
      fmt::format("{} was written by a later version of this program: use that one", database.getFilename()));
}

}  // namespace llm_router
