// Expand: the ${NAME} in a setting's value, read from the environment.
//
// Pure; any thread. What a variable holds is taken as it is, never expanded again. $${NAME} stands for the
// text ${NAME}.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace llm_router {

using Environment = std::map<std::string, std::string, std::less<>>;

struct Expanded {
  Expanded() = default;

  std::string text;
  std::string variable;  // the first name it came from; empty: none
  std::string unset;     // the first name that has no value; empty: none
};

// Fault invalid_request, "what is wrong: remedy", for a ${ that is not closed or names no variable.
absl::StatusOr<Expanded> Expand(std::string_view text, const Environment& environment);

// Whether `name` can be a variable's: letters, digits and _, not a digit first.
bool IsVariableName(std::string_view name);

}  // namespace llm_router
