// Looking at, and replacing, one top-level value of a JSON object's text without touching a byte of the rest.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llm_router {

// `object` must be one that CheckBody accepted. The text of its top-level value `key`; nothing when there is
// none.
std::optional<std::string_view> TopLevelValue(std::string_view object, std::string_view key);

// `object` with the top-level value `key` replaced by, or added as, the JSON text `value`.
std::string WithTopLevelValue(std::string_view object, std::string_view key, std::string_view value);

}  // namespace llm_router
