// QuickParse, QuickCheck: ParseBody and CheckBody (json_body.h) by a library that is ten times as fast, where
// that surely says the same.
//
// They say no more than yes. Nothing of what is wrong, nor of bodies over 1 MB, of objects with more than 64
// keys, and of numbers beyond 64 bits, which may be good all the same. A thread keeps some ten times as many
// bytes as the largest body it read. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "router/dialects/json_body.h"

namespace llm_router {

inline constexpr size_t kMaxJsonDepth = 256;

// What ParseBody would give.
std::optional<Json> QuickParse(std::string_view body);
bool QuickCheck(std::string_view body);

}  // namespace llm_router
