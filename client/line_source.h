// LineSource: the lines of a batch's input, one at a time, however long the whole is. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace llm_router::client {

// The next line without its end; nothing after the last one. Faults: what keeps it from being read.
using LineSource = std::function<absl::StatusOr<std::optional<std::string>>()>;

// The lines of `in`, which outlives it. A byte order mark and carriage returns at the ends of lines are
// dropped; no line is longer than `most` bytes: fault too_large.
LineSource LinesOf(std::istream& in, size_t most);

}  // namespace llm_router::client
