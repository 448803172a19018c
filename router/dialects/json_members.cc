#include "router/dialects/json_members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/dialects/json_body.h"
#include "router/dialects/json_walk.h"

namespace llm_router {

JsonMembers::JsonMembers(std::string_view object) {
  JsonWalk walk(object);
  while (walk.NextMember()) members_.push_back({walk.key(), walk.value()});
}

std::vector<JsonMembers::Member>::iterator JsonMembers::At(std::string_view key) {
  return std::ranges::find_if(members_,
                              [key](const Member& member) { return IsJsonString(member.key, key); });
}

std::optional<std::string_view> JsonMembers::Find(std::string_view key) const {
  const auto found =
      std::ranges::find_if(members_, [key](const Member& member) { return IsJsonString(member.key, key); });
  if (found == members_.end()) return std::nullopt;
  return found->value;
}

void JsonMembers::Rename(std::string_view key, std::string_view to) {
  const auto found = At(key);
  if (found == members_.end()) return;
  found->key = own_.emplace_back(QuoteJson(to));
  changed_ = true;
}

void JsonMembers::Erase(std::string_view key) {
  const auto found = At(key);
  if (found == members_.end()) return;
  members_.erase(found);
  changed_ = true;
}

void JsonMembers::Replace(std::string_view key, std::string value) {
  const auto found = At(key);
  if (found == members_.end()) return;
  found->value = own_.emplace_back(std::move(value));
  changed_ = true;
}

std::string JsonMembers::Text() const {
  size_t size = 2;
  for (const Member& member : members_) size += member.key.size() + member.value.size() + 2;
  std::string text;
  text.reserve(size);
  text += '{';
  for (const Member& member : members_) {
    if (text.size() > 1) text += ',';
    text.append(member.key).append(1, ':').append(member.value);
  }
  text += '}';
  return text;
}

std::vector<std::string_view> JsonItems(std::string_view array) {
  std::vector<std::string_view> items;
  if (!array.starts_with('[')) return items;
  JsonWalk walk(array);
  while (walk.NextItem()) items.push_back(walk.value());
  return items;
}

bool IsJsonString(std::string_view value, std::string_view text) {
  if (value.size() < 2 || value.front() != '"') return false;
  const std::string_view written = value.substr(1, value.size() - 2);
  if (written.find('\\') == written.npos) return written == text;
  const Json decoded = Json::parse(value, nullptr, false);
  return decoded.is_string() && decoded.get_ref<const std::string&>() == text;
}

}  // namespace llm_router
