// ReadPrompts: the lines of a file of prompts, one prompt a line. Pure; any thread.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace llm_router::cli {

struct Prompt {
  size_t line = 0;  // its number in the file, from 1
  std::string text;
};

// Blank lines are passed over; a carriage return at the end of a line and a byte order mark are dropped.
// `name` stands for the file in errors. Fault invalid_request, all that is wrong at once, a line each: no
// prompt at all, a line that is not UTF-8 or longer than `max_bytes`.
absl::StatusOr<std::vector<Prompt>> ReadPrompts(std::istream& in, const std::string& name, size_t max_bytes);

}  // namespace llm_router::cli
