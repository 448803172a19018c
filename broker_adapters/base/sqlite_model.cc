#include "broker_adapters/base/sqlite_model.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr int64_t kReadThrough = int64_t{32} * 1024 * 1024;  // bytes
constexpr size_t kPage = 4'096;                              // bytes, SQLite's own choice
constexpr size_t kHeader = 100;                              // bytes of page 1 before it is one of a tree

// In a file numbers have their highest byte first.
void Put(std::string& bytes, size_t at, uint32_t number) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(number >> (24 - 8 * i));
}
uint32_t Get(const std::string& bytes, size_t at, size_t size = 4) {
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

std::string BytesOf(SQLite::Database& database) {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
      sqlite3_serialize(database.getHandle(), "main", &size, 0), sqlite3_free);
  return std::string(reinterpret_cast<const char*>(bytes.get()), static_cast<size_t>(size));
}

// The pages on which the list of tables stands: the first, and those below it where it is too long for one.
std::vector<uint32_t> ListPages(const std::string& file) {
  constexpr char kInner = 5;
  constexpr size_t kCells = kHeader + 3, kLast = kHeader + 8, kPointers = kHeader + 12;
  std::vector<uint32_t> pages = {1};
  if (file[kHeader] != kInner) return pages;
  for (uint32_t cell = 0; cell < Get(file, kCells, 2); ++cell)
    pages.push_back(Get(file, Get(file, kPointers + 2 * size_t{cell}, 2)));
  pages.push_back(Get(file, kLast));
  return pages;
}

absl::Status ReadThrough(SQLite::Database& database) {
  if (!SqliteModel::IsReadThrough(database)) return absl::OkStatus();
  const std::string found = database.execAndGet("PRAGMA integrity_check(1)").getString();
  return found == "ok" ? absl::OkStatus() : SqliteDamage(found);
}

bool IsEmpty(SQLite::Database& database) {
  return database.execAndGet("PRAGMA page_count").getInt64() <= 1 &&
         database.execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt64() == 0;
}

}  // namespace

bool SqliteModel::IsReadThrough(SQLite::Database& database) {
  return database.execAndGet("PRAGMA page_count").getInt64() * static_cast<int64_t>(kPage) <= kReadThrough;
}

void SqliteModel::Step(SQLite::Database& database, size_t from, size_t to) const {
  for (size_t step = from; step < to; ++step) {
    SQLite::Transaction transaction(database);
    database.exec(steps_[step]);
    database.exec(fmt::format("PRAGMA user_version={}", step + 1));
    transaction.commit();
  }
}

SQLite::Database SqliteModel::Make(size_t version) const {
  SQLite::Database model(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  model.exec(fmt::format("PRAGMA page_size={}", kPage));
  model.exec("PRAGMA auto_vacuum=INCREMENTAL");
  Step(model, 0, version);
  return model;
}

// Where tables begin is the same in all files, unless there were some before a step made more.
std::string SqliteModel::TextOf(SQLite::Database& database) const {
  return database
      .execAndGet(fmt::format(
          "SELECT group_concat(quote(type)||quote(name)||quote(tbl_name)||quote({})||quote(sql)) FROM "
          "(SELECT * FROM sqlite_master ORDER BY rowid)",
          steps_.size() == 1 ? "rootpage" : "rootpage>0"))
      .getString();
}

bool SqliteModel::HasTablesOf(SQLite::Database& database, size_t version) const {
  SQLite::Database model = Make(version);
  return TextOf(database) == TextOf(model);
}

absl::Status SqliteModel::Bring(SQLite::Database& database) const {
  const auto version =
      static_cast<size_t>(std::max<int64_t>(database.execAndGet("PRAGMA user_version").getInt64(), 0));
  if (IsEmpty(database)) {
    Step(database, 0, steps_.size());
  } else if (version > 0 && version < steps_.size() && HasTablesOf(database, version)) {
    Step(database, version, steps_.size());
  } else if (HasItsTables(database)) {
    // The number alone is wrong: a bit of it turned around.
    if (version != steps_.size()) database.exec(fmt::format("PRAGMA user_version={}", steps_.size()));
  } else if (version > steps_.size()) {
    return absl::DataLossError(fmt::format("{} was written by a later version of this program: use that one",
                                           database.getFilename()));
  } else {
    return SqliteDamage("its list of tables is damaged");
  }
  return ReadThrough(database);
}

absl::Status SqliteModel::MakeOrCheck(SQLite::Database& database) const {
  absl::Status checked = absl::OkStatus();
  RETURN_IF_ERROR(TrySqlite([&] { checked = Bring(database); }));
  return checked;
}

void SqliteModel::PutTables(const std::filesystem::path& path) const {
  constexpr size_t kJournal = 18;  // two bytes: 2 = WAL
  constexpr size_t kPages = 28;
  SQLite::Database model = Make(steps_.size());
  std::string bytes = BytesOf(model);
  const std::vector<uint32_t> list = ListPages(bytes);
  const auto there = static_cast<uint32_t>(std::filesystem::file_size(path) / kPage);
  bytes[kJournal] = bytes[kJournal + 1] = 2;
  Put(bytes, kPages, std::max(there, *std::max_element(list.begin(), list.end())));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (const uint32_t page : list) {
    const size_t at = (page - 1) * kPage;
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data() + at, kPage);
  }
}

}  // namespace llm_router
