// The Store over an SQLite file, `jobs.sqlite` in a folder of its own or beside the embedded broker's queues.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "router/store/store.h"

namespace llm_router {

struct SqliteStoreOptions {
  SqliteStoreOptions() = default;

  std::filesystem::path folder;
  uint64_t max_bytes = uint64_t{10} * 1024 * 1024 * 1024;  // more jobs are refused when there are that many
  std::string vfs;                                         // SQLite's name of one; empty: the system's
  bool synced = true;  // false: acknowledges what the disk may not have; tests only
};

// Fault storage_failed, naming the file, when it can't be used or is another process's.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(Executor executor, SqliteStoreOptions options);

}  // namespace llm_router
