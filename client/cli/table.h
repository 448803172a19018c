// Table: rows under headings, their columns lined up. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace llm_router::cli {

using Row = std::vector<std::string>;

// `rows` have as many cells as the first of them, the headings.
std::string ToTable(const std::vector<Row>& rows);

// "2026-01-31 12:00:00" in UTC; "-" for 0.
std::string TimeOf(long long unix_seconds);

}  // namespace llm_router::cli
