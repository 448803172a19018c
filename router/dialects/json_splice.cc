#include "router/dialects/json_splice.h"

#include <algorithm>

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
  std::string text;
  text.reserve(object.size() + key.size() + value.size() + 4);
  if (const auto old = TopLevelValue(object, key)) {
    const size_t begin = static_cast<size_t>(old->data() - object.data());
    text.append(object.substr(0, begin)).append(value).append(object.substr(begin + old->size()));
    return text;
  }
  const size_t after_brace = std::min(object.find('{'), object.size() - 1) + 1;
  const bool is_empty = !JsonWalk(object).NextMember();
  text.append(object.substr(0, after_brace)).append(QuoteJson(key)).append(1, ':').append(value);
  text.append(is_empty ? "" : ",").append(object.substr(after_brace));
  return text;
}

}  // namespace llm_router
