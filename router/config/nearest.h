// Nearest: the known name a mistyped one most likely meant. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace llm_router {

// The closest of `known` within two edits (one for names of up to three letters), or nothing.
std::optional<std::string_view> Nearest(std::string_view name, std::span<const std::string_view> known);

}  // namespace llm_router
