// Reading and writing the JSON objects of the contract, for its own source files. What is absent or of
// another type is the fallback: a reader of ours is content with less, and passes over what it does not know.
// Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"

namespace llm_router::contract {

using Json = nlohmann::json;

// A byte that is no UTF-8, as providers may send it, is replaced: it must not make the whole unsayable.
std::string Dump(const Json& json);
// Appends `text` as a JSON string; what is not UTF-8 is replaced.
void AppendQuoted(std::string_view text, std::string& json);

// Fault invalid_request, saying what `what` must be.
absl::StatusOr<Json> ParseObject(std::string_view body, std::string_view what);

std::string StringOr(const Json& object, std::string_view key, std::string_view fallback = {});
int64_t IntOr(const Json& object, std::string_view key, int64_t fallback = 0);
std::optional<int64_t> OptionalInt(const Json& object, std::string_view key);
bool BoolOr(const Json& object, std::string_view key, bool fallback = false);
std::vector<std::string> StringsOf(const Json& object, std::string_view key);
// The items that are objects.
std::vector<Json> ArrayOf(const Json& object, std::string_view key);
// The members that are strings.
Tags TagsOf(const Json& object, std::string_view key);

// A failure as JSON and back: {"message", "code", "retry_after_ms"?}.
Json ToJsonValue(const absl::Status& failure);
absl::Status FailureOf(const Json& object);

}  // namespace llm_router::contract
