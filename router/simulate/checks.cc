#include "router/simulate/checks.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "router/net/http_headers.h"

namespace llm_router::simulate {
namespace {

bool IsOutOfRange(const Json& value, const RangeRow& row) {
  if (value.is_null()) return false;
  if (!value.is_number() || (row.integer && !value.is_number_integer())) return true;
  const double number = value.get<double>();
  return number < row.least || number > row.most;
}

}  // namespace

const RangeRow* FirstOutOfRange(const Json& body, std::span<const RangeRow> rows) {
  for (const RangeRow& row : rows) {
    if (IsOutOfRange(At(body, row.field), row)) return &row;
  }
  return nullptr;
}

std::optional<std::string> FirstUnknown(const Json& body, std::span<const std::string_view> known,
                                        std::span<const std::string_view> more) {
  for (const auto& [name, value] : body.items()) {
    const std::string_view field = name;
    if (!std::ranges::binary_search(known, field) && !std::ranges::binary_search(more, field)) return name;
  }
  return std::nullopt;
}

bool IsToolName(std::string_view name, size_t most) {
  return !name.empty() && name.size() <= most && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

bool IsJsonType(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return LowerCase(type) == "application/json";
}

}  // namespace llm_router::simulate
