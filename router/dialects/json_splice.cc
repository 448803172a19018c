#include "router/dialects/json_splice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/dialects/json_body.h"
#include "router/dialects/json_members.h"
#include "router/dialects/json_walk.h"

namespace llm_router {

std::optional<std::string_view> TopLevelValue(std::string_view object, std::string_view key) {
  JsonWalk walk(object);
  while (walk.NextMember()) {
    if (IsJsonString(walk.key(), key)) return walk.value();
  }
  return std::nullopt;
}

std::string WithTopLevelValue(std::string_view object, std::string_view key, std::string_view value) {
  if (const auto old = TopLevelValue(object, key)) {
    const size_t begin = static_cast<size_t>(old->data() - object.data());
    return fmt::format("{}{}{}", object.substr(0, begin), value, object.substr(begin + old->size()));
  }
  const size_t after_brace = std::min(object.find('{'), object.size() - 1) + 1;
  const bool empty = !JsonWalk(object).NextMember();
  return fmt::format("{}{}:{}{}{}", object.substr(0, after_brace), DumpJson(std::string(key)), value,
                     empty ? "" : ",", object.substr(after_brace));
}

}  // namespace llm_router
