// StoreSql: the store's file as prepared statements: one per place that asks, made at its first use.
//
//   for (Rows rows(sql, "SELECT id FROM jobs WHERE route=?", route); rows.Next();) use(rows.Text(0));
//   sql.Run("DELETE FROM jobs WHERE seq=?", seq);
//
// Commit thread only (base/commit_thread.h); failures of SQLite leave as its exceptions. A statement is used
// by one Rows at a time: what is read is read whole before its rows are changed.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker_adapters/base/sqlite_statement.h"

namespace llm_router {

// Bound as a blob; must outlive the statement's use.
struct Blob {
  explicit Blob(const std::string& its_bytes) : bytes(its_bytes) {}
  const std::string& bytes;
};

class StoreSql {
 public:
  explicit StoreSql(SQLite::Database& database) : database_(database) {}

  // `sql` is a literal. How many rows were changed.
  template <class... Values>
  int Run(const char* sql, const Values&... values) {
    SQLite::Statement& statement = Prepared(sql);
    const Use use(statement);
    BindAll(statement, values...);
    return statement.exec();
  }

  int64_t last_row() const { return database_.getLastInsertRowid(); }
  // Bytes that hold something, about.
  int64_t bytes();

 private:
  friend class Rows;

  SQLite::Statement& Prepared(const char* sql);

  template <class... Values>
  static void BindAll(SQLite::Statement& statement, const Values&... values) {
    int index = 0;
    (Bind(statement, ++index, values), ...);
  }
  static void Bind(SQLite::Statement& statement, int index, std::integral auto value) {
    statement.bind(index, static_cast<int64_t>(value));
  }
  static void Bind(SQLite::Statement& statement, int index, std::string_view text) {
    statement.bind(index, std::string(text));
  }
  static void Bind(SQLite::Statement& statement, int index, const Blob& blob) {
    BindBlob(statement, index, blob.bytes);
  }

  SQLite::Database& database_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

class Rows {
 public:
  template <class... Values>
  Rows(StoreSql& sql, const char* query, const Values&... values)
      : statement_(sql.Prepared(query)), use_(statement_) {
    StoreSql::BindAll(statement_, values...);
  }

  SQLite::Statement& row() const { return statement_; }
  bool Next() { return statement_.executeStep(); }
  int64_t Int(int column) const { return statement_.getColumn(column).getInt64(); }
  std::string Text(int column) const { return statement_.getColumn(column).getString(); }

 private:
  SQLite::Statement& statement_;
  const Use use_;
};

}  // namespace llm_router
