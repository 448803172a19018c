// Reading JSON that may have any shape: what is absent or of another type reads as empty. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace llm_router::simulate {

using Json = nlohmann::json;

// The member of that name, or null.
const Json& At(const Json& object, std::string_view key);
// The text of a string, else "".
std::string Text(const Json& value);
// Compact text; bytes that are no UTF-8 are replaced.
std::string Dump(const Json& value);

}  // namespace llm_router::simulate
