#include "client/cli/table.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace llm_router::cli {

std::string ToTable(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) table += fmt::format("{:<{}}  ", row[i], widths[i]);
    table += row.back() + '\n';
  }
  return table;
}

std::string TimeOf(long long unix_seconds) {
  if (unix_seconds == 0) return "-";
  const std::time_t time = unix_seconds;
  std::tm utc{};
  if (gmtime_r(&time, &utc) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", utc);
}

}  // namespace llm_router::cli
