#include "proto/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::contract {
namespace {

// Nearly all texts: they stand in JSON as they are.
bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void AppendQuoted(std::string_view text, std::string& json) {
  if (IsPlain(text)) {
    json.append(1, '"').append(text).append(1, '"');
  } else {
    json += Dump(Json(text));
  }
}

absl::StatusOr<Json> ParseObject(std::string_view body, std::string_view what) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object())
    return MakeFault(Fault::kInvalidRequest, fmt::format("{} must be a JSON object", what));
  return json;
}

std::string StringOr(const Json& object, std::string_view key, std::string_view fallback) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string(fallback);
}

std::optional<int64_t> OptionalInt(const Json& object, std::string_view key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_integer()) return std::nullopt;
  return it->get<int64_t>();
}

int64_t IntOr(const Json& object, std::string_view key, int64_t fallback) {
  return OptionalInt(object, key).value_or(fallback);
}

bool BoolOr(const Json& object, std::string_view key, bool fallback) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() ? it->get<bool>() : fallback;
}

std::vector<std::string> StringsOf(const Json& object, std::string_view key) {
  std::vector<std::string> strings;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return strings;
  for (const Json& item : *it) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::vector<Json> ArrayOf(const Json& object, std::string_view key) {
  std::vector<Json> items;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return items;
  for (const Json& item : *it) {
    if (item.is_object()) items.push_back(item);
  }
  return items;
}

Tags TagsOf(const Json& object, std::string_view key) {
  Tags tags;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object()) return tags;
  for (const auto& [name, value] : it->items()) {
    if (value.is_string()) tags[name] = value.get<std::string>();
  }
  return tags;
}

Json ToJsonValue(const absl::Status& failure) {
  Json json = {{"message", MessageOf(failure)}, {"code", RowOf(FaultOf(failure)).name}};
  if (const auto wait = RetryAfterOf(failure)) json["retry_after_ms"] = wait->count();
  return json;
}

absl::Status FailureOf(const Json& object) {
  const Fault fault = FaultNamed(StringOr(object, "code")).value_or(Fault::kInternal);
  std::optional<std::chrono::milliseconds> wait;
  if (const auto ms = OptionalInt(object, "retry_after_ms"); ms && *ms >= 0)
    wait = std::chrono::milliseconds(*ms);
  return MakeFault(fault, StringOr(object, "message"), wait);
}

}  // namespace llm_router::contract
