// What the embedded broker refuses for its size. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace llm_router {

// Fault too_large, naming `what` ("query", "reply", "event") and the setting, when its body is over `limit`.
[[nodiscard]] absl::Status CheckBody(std::string_view what, size_t bytes, size_t limit);

}  // namespace llm_router
