// SqliteModel: the tables that an SQLite file of ours has, and whether a file has them as they were made.
//
// A value that never changes; on the thread that uses the file.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace llm_router {

class SqliteModel {
 public:
  // Step i is the SQL that brings a file of version i to version i+1 (`user_version`); an empty one is of
  // version 0.
  explicit SqliteModel(std::vector<std::string> steps) : steps_(std::move(steps)) {}

  // Makes the tables in a new file and brings an older one to the present version, each step in a
  // transaction. Damage (base/sqlite.h) where the list of tables is not that of such a file, or where one of
  // up to 32 MiB, which is read through, contradicts itself; data_loss when a later version of this program
  // made it.
  absl::Status MakeOrCheck(SQLite::Database& database) const;

  // Whether it is so small that a start reads it through. Throws SQLite::Exception.
  static bool IsReadThrough(SQLite::Database& database);

  // Whether the file's list of tables is that of the present version. Throws SQLite::Exception.
  bool HasItsTables(SQLite::Database& database) const { return HasTablesOf(database, steps_.size()); }

  // Writes the list of tables over that of a damaged file that nobody has open: each table begins where it
  // does in every file that was made new. Throws std::filesystem::filesystem_error.
  void PutTables(const std::filesystem::path& file) const;

 private:
  bool HasTablesOf(SQLite::Database& database, size_t version) const;
  void Step(SQLite::Database& database, size_t from, size_t to) const;
  SQLite::Database Make(size_t version) const;
  std::string TextOf(SQLite::Database& database) const;
  absl::Status Bring(SQLite::Database& database) const;

  std::vector<std::string> steps_;
};

}  // namespace llm_router
