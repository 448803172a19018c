// SalvagedTables: the tables of a damaged file, each as far as it can be read, and what was not. Borrows its
// file; one thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "broker_adapters/base/salvaged_rows.h"

namespace llm_router {

class SalvagedTables {
 public:
  explicit SalvagedTables(SQLite::Database& damaged) : damaged_(damaged) {}

  // Visits each row of `table` once; `columns`: the one that is the rowid first. What `visit` throws leaves.
  void Read(const char* table, const char* columns, const SalvagedRows::Visit& visit);

  // The end of a sentence that says what could not be read, in numbers of `nouns`; empty where all could be.
  std::string Unreadable(std::string_view nouns) const;

 private:
  SQLite::Database& damaged_;
  uint64_t unreadable_ = 0;  // ranges of rowids; how many rows had those nobody knows
  bool gave_up_ = false;     // there were so many of those that others were not looked through
};

}  // namespace llm_router
