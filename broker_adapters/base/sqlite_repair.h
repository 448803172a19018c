// Opening an SQLite file of our own, and mending one that is damaged.
//
// A damaged file is set aside as `<its name>.damaged-<Unix seconds>`, with its `-wal`; what can still be
// read, and whose checksum holds, is carried over into a new file; the log says what was kept. What a crash
// leaves of a repair is finished, or begun again, by the next start. Before the loop runs.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/sqlite_model.h"

namespace llm_router {

struct RepairableFile {
  explicit RepairableFile(const SqliteModel& its_model) : model(its_model) {}

  std::filesystem::path path;
  std::string vfs;  // SQLite's name of one; empty: the system's
  const SqliteModel& model;
  // Makes a new file ready, or looks whether another is whole; called again when one was repaired. What fails
  // keeps nothing that refers to the file.
  std::function<absl::Status(SQLite::Database&)> open;
  // Carries over what can be read of a damaged file, whose list of tables is whole, into a new one with its
  // tables. What was kept and what was lost, as words after "is repaired: ". What SQLite throws ends it.
  std::function<std::string(SQLite::Database& damaged, SQLite::Database& fresh)> salvage;
};

// data_loss (fault storage_failed) when it can't be used.
absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenRepaired(const RepairableFile& file);

// Damage was seen in use: whoever opens the file next repairs it. Any thread.
void MarkDamaged(const std::filesystem::path& path);

}  // namespace llm_router
