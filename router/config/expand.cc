#include "router/config/expand.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/fault.h"

namespace llm_router {
namespace {

void Substitute(std::string_view name, const Environment& environment, Expanded& expanded) {
  const auto found = environment.find(name);
  if (expanded.variable.empty()) expanded.variable = name;
  if (found != environment.end() && !found->second.empty()) {
    expanded.text += found->second;
  } else if (expanded.unset.empty()) {
    expanded.unset = name;
  }
}

}  // namespace

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

absl::StatusOr<Expanded> Expand(std::string_view text, const Environment& environment) {
  Expanded expanded;
  while (true) {
    const size_t open = text.find("${");
    expanded.text += text.substr(0, open);
    if (open == std::string_view::npos) return expanded;
    text.remove_prefix(open + 2);
    if (!expanded.text.empty() && expanded.text.back() == '$' && open > 0) {
      expanded.text += '{';
      continue;
    }
    const size_t close = text.find('}');
    const std::string_view name = text.substr(0, close);
    if (close == std::string_view::npos || !IsVariableName(name)) {
      return MakeFault(Fault::kInvalidRequest,
                       "holds a ${ that names no variable: write ${NAME}, or $${ for the text ${");
    }
    Substitute(name, environment, expanded);
    text.remove_prefix(close + 1);
  }
}

}  // namespace llm_router
