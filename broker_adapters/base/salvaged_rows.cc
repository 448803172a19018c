#include "broker_adapters/base/salvaged_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"

namespace llm_router {
namespace {

constexpr int kMostFailures = 1'000;
constexpr int64_t kStep = 64;  // ids; about a few pages

std::string Select(const char* table, const char* columns, const char* order) {
  return fmt::format("SELECT {} FROM {} NOT INDEXED WHERE rowid>=? AND rowid<=? ORDER BY rowid {}", columns,
                     table, order);
}

}  // namespace

SalvagedRows::SalvagedRows(SQLite::Database& database, const char* table, const char* columns)
    : forward_(database, Select(table, columns, "ASC")),
      backward_(database, Select(table, columns, "DESC")) {}

void SalvagedRows::ForEach(const Visit& visit) {
  ranges_.push_back({1, std::numeric_limits<int64_t>::max() - 1, false, false, kStep});
  while (!ranges_.empty() && failures_ < kMostFailures) {
    const Range range = ranges_.front();
    ranges_.pop_front();
    ReadFromBothSides(range, visit);
  }
  gave_up_ = !ranges_.empty();
  unreadable_ += ranges_.size();
}

void SalvagedRows::ReadFromBothSides(Range range, const Visit& visit) {
  int64_t at = range.low - 1;
  if (!range.begins_badly && (Walk(forward_, range, true, at, visit) || at >= range.high)) return;
  const int64_t step = at < range.low ? range.step : kStep;
  range.low = at + 1;
  if (!range.ends_badly) {
    if (Walk(backward_, range, false, at, visit)) return;
    range.high = at - 1;
  }
  if (range.low >= range.high) {
    ++unreadable_;
    return;
  }
  Split(range, step);
}

// Ids are dense, and nobody knows where they end: the search goes on in steps that double until something can
// be read again, and comes back for what it passed.
void SalvagedRows::Split(const Range& range, int64_t step) {
  const int64_t middle = range.low + std::min((range.high - range.low) / 2, step);
  ranges_.push_back({range.low, middle, true, false, kStep});
  const int64_t next = std::min(step, std::numeric_limits<int64_t>::max() / 2) * 2;
  ranges_.push_front({middle + 1, range.high, false, true, next});
}

bool SalvagedRows::Walk(SQLite::Statement& rows, Range range, bool forward, int64_t& at, const Visit& visit) {
  at = forward ? range.low - 1 : range.high + 1;
  const Use use(rows);
  rows.bind(1, range.low);
  rows.bind(2, range.high);
  while (true) {
    bool more = false;
    const absl::Status read = TrySqlite([&] {
      more = rows.executeStep();
      if (!more) return;
      const int64_t id = rows.getColumn(0).getInt64();
      if (id < range.low || id > range.high || (forward ? id <= at : id >= at)) {
        ThrowDamage("ids out of order");
      }
    });
    if (!read.ok()) {
      ++failures_;
      return false;
    }
    if (!more) return true;
    // What fails here is the new file: that ends it all.
    visit(rows);
    at = rows.getColumn(0).getInt64();
  }
}

}  // namespace llm_router
