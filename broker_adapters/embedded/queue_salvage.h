// Salvage: what can still be read of a damaged file of queues, into a new one.
//
// Reads around what can't be read (salvaged_rows.h). A queue whose name is lost is named again by its
// messages. Pure but for the two files.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"

namespace llm_router {

struct Salvaged {
  Salvaged() = default;

  uint64_t queues = 0;
  uint64_t messages = 0;    // carried over, delayed ones too
  uint64_t damaged = 0;     // read, and not as they were written
  uint64_t unreadable = 0;  // ranges of numbers; how many messages had those nobody knows
  bool gave_up = false;     // there were so many of those that others were not looked through
};

// `damaged`: a copy, which is written to on the way. `fresh` has its tables and nothing else.
absl::StatusOr<Salvaged> Salvage(const std::filesystem::path& damaged, SQLite::Database& fresh);

}  // namespace llm_router
