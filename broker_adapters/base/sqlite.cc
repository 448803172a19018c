#include "broker_adapters/base/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <string_view>
#include <system_error>

#include "absl/strings/cord.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr char kDamage[] = "llm-router/damaged-file";

// The remedy for what can happen to any disk.
std::string_view RemedyFor(int code) {
  switch (code) {
    case SQLITE_FULL:
      return "the disk is full: make room, and try again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "it can't be written: check the folder's owner and rights, and that the disk is not read-only";
    case SQLITE_BUSY:
      return "another process uses it: give each process a folder of its own";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged: start the program again, which repairs it as far as that can be";
    default:
      return "the disk or the file system failed: see the system's log";
  }
}

void Prepare(SQLite::Database& database) {
  // SQLite falls back to reading alone, and then fails in other words.
  if (sqlite3_db_readonly(database.getHandle(), "main") == 1) {
    throw SQLite::Exception("read-only file", SQLITE_READONLY);
  }
  // Exclusive: a second process is refused, and no shared memory is needed, if nothing was read before.
  database.exec("PRAGMA locking_mode=EXCLUSIVE");
  // In force for a new file only: what is freed at the end of the file can be given back to the disk.
  database.exec("PRAGMA auto_vacuum=INCREMENTAL");
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA synchronous=FULL");
  database.exec("PRAGMA temp_store=MEMORY");
  database.exec("PRAGMA cell_size_check=ON");
  database.exec("PRAGMA journal_size_limit=16777216");
  database.exec("PRAGMA cache_size=-8000");
  // What is deleted is overwritten only where that costs no write of its own.
  database.exec("PRAGMA secure_delete=FAST");
  // Takes the lock, and shows a file that is none.
  database.exec("BEGIN EXCLUSIVE; COMMIT");
}

}  // namespace

absl::Status SqliteFailure(const SQLite::Exception& failure) {
  const int code = failure.getErrorCode() & 0xFF;
  const std::string message = fmt::format("{} ({})", RemedyFor(code), failure.what());
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return SqliteDamage(message);
  return absl::DataLossError(message);
}

void ThrowDamage(const std::string& what) { throw SQLite::Exception(what, SQLITE_CORRUPT); }

absl::Status SqliteDamage(std::string_view message) {
  absl::Status damage = absl::DataLossError(absl::string_view(message.data(), message.size()));
  damage.SetPayload(kDamage, absl::Cord());
  return damage;
}

bool IsSqliteDamage(const absl::Status& status) { return status.GetPayload(kDamage).has_value(); }

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

}  // namespace llm_router
