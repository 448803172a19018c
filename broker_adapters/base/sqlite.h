// Opening an SQLite file, and its exceptions as statuses.
//
// A file belongs to one process at a time, and in it to one thread (commit_thread.h). A commit returns when
// the disk said that it has it: WAL with synchronous=FULL. The WAL is copied into the file whenever it is
// over 4 MiB, and cut to 16 MiB when one great transaction made it longer.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm_router {

// Creates the file and its folder where they are not there. `vfs`: SQLite's name of one; empty: the system's.
// data_loss (fault storage_failed), naming the file, when it is another process's or can't be used.
absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenSqlite(const std::filesystem::path& file,
                                                             const std::string& vfs = "");

absl::Status SqliteFailure(const SQLite::Exception& failure);

// A failure that says that the file is not what was written to it, and whether a status is one.
absl::Status SqliteDamage(std::string_view message);
bool IsSqliteDamage(const absl::Status& status);
// The same as what SQLite would throw, where the file contradicts itself to us alone.
[[noreturn]] void ThrowDamage(const std::string& what);

// Runs `body`; what SQLite throws comes back as data_loss.
template <class Body>
absl::Status TrySqlite(Body body) {
  try {
    body();
    return absl::OkStatus();
  } catch (const SQLite::Exception& failure) {
    return SqliteFailure(failure);
  }
}

}  // namespace llm_router
