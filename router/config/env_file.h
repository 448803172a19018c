// ParseEnvFile: the lines of a `.env` file.
//
// NAME=VALUE, one a line, `export ` before it allowed; # begins a comment; a value in double quotes may span
// lines and knows \n, \t, \", \\ and \$, one in single quotes is taken as it is. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "router/config/expand.h"

namespace llm_router {

// The last of several lines for one name counts. Fault invalid_request naming the line; never quotes a value.
absl::StatusOr<Environment> ParseEnvFile(std::string_view text, std::string_view source);

}  // namespace llm_router
