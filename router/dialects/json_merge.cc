#include "router/dialects/json_merge.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "router/dialects/provider_reply.h"

namespace llm_router {
namespace {

// Sent whole, even where each chunk says them again.
constexpr auto kNames = std::to_array<std::string_view>({"format", "id", "index", "name", "role", "type"});

void MergeItems(Json& whole, const Json& items) {
  for (const Json& item : items) {
    const auto index = item.is_object() ? item.find("index") : item.end();
    if (!item.is_object() || index == item.end()) {
      whole.push_back(item);
    } else if (Json* target = ItemAt(whole, *index)) {
      MergeDelta(*target, item);
    }
  }
}

}  // namespace

void MergeDelta(Json& whole, const Json& delta) {
  for (const auto& [key, value] : delta.items()) {
    const auto found = whole.find(key);
    if (found == whole.end() || found->is_null()) {
      if (value.is_array()) MergeItems(whole[key] = Json::array(), value);
      if (!value.is_array()) whole[key] = value;
    } else if (value.is_null()) {
      continue;
    } else if (value.is_string() && found->is_string() && !std::ranges::binary_search(kNames, key)) {
      found->get_ref<std::string&>() += value.get_ref<const std::string&>();
    } else if (value.is_object() && found->is_object()) {
      MergeDelta(*found, value);
    } else if (value.is_array() && found->is_array()) {
      MergeItems(*found, value);
    } else {
      *found = value;
    }
  }
}

void SetMembers(Json& object, const Json& members) {
  for (const auto& [key, value] : members.items()) {
    if (!value.is_null() || !object.contains(key)) object[key] = value;
  }
}

// Searched from its end, where a stream goes on.
Json* ItemAt(Json& list, const Json& index) {
  for (auto item = list.rbegin(); item != list.rend(); ++item) {
    if (item->is_object() && item->contains("index") && (*item)["index"] == index) return &*item;
  }
  if (list.size() >= kMaxStreamParts) return nullptr;
  return &list.emplace_back(Json{{"index", index}});
}

}  // namespace llm_router
