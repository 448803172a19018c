// SalvagedRows: the rows of a table of a damaged file that can still be read.
//
// Reads from both sides up to where it fails, then on behind that, then into ever smaller parts between.
// Gives up after 1,000 tries that failed. Borrows its file; one thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace llm_router {

class SalvagedRows {
 public:
  using Visit = std::function<void(SQLite::Statement&)>;

  // `columns`: those to read, the one that is the rowid first.
  SalvagedRows(SQLite::Database& database, const char* table, const char* columns);

  // Each row once. What `visit` throws leaves.
  void ForEach(const Visit& visit);

  // Ranges of ids that can't be read.
  uint64_t unreadable() const { return unreadable_; }
  // Tries were used up: of these ranges some may hold rows that could be read.
  bool gave_up() const { return gave_up_; }

 private:
  struct Range {
    int64_t low, high;
    bool begins_badly, ends_badly;  // there is no use in trying it from there
    int64_t step;                   // how far off to try next
  };

  void ReadFromBothSides(Range range, const Visit& visit);
  void Split(const Range& range, int64_t step);
  // Whether it came to the end. Otherwise `at` is the last id that it read, or the one before the first.
  bool Walk(SQLite::Statement& rows, Range range, bool forward, int64_t& at, const Visit& visit);

  SQLite::Statement forward_;
  SQLite::Statement backward_;
  std::deque<Range> ranges_;  // to be read yet
  int failures_ = 0;
  uint64_t unreadable_ = 0;
  bool gave_up_ = false;
};

}  // namespace llm_router
