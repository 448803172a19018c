// Checks that both simulated providers make of a JSON body, with the words left to the caller. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "router/simulate/json_view.h"

namespace llm_router::simulate {

struct RangeRow {
  std::string_view field;
  double least;
  double most;
  bool integer;
};

// The first field of `rows` that is there, not null, and no number within its range.
const RangeRow* FirstOutOfRange(const Json& body, std::span<const RangeRow> rows);

// The first member of `body` that is neither among `known` nor among `more`, both sorted.
std::optional<std::string> FirstUnknown(const Json& body, std::span<const std::string_view> known,
                                        std::span<const std::string_view> more);

// 1 to `most` letters, digits, '_' or '-'.
bool IsToolName(std::string_view name, size_t most);

// Whether a content-type header means JSON.
bool IsJsonType(std::string_view content_type);

}  // namespace llm_router::simulate
