// RetryAfter: when a provider wants to be asked again, read from its headers. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "router/net/http_headers.h"

namespace llm_router {

inline constexpr std::chrono::milliseconds kLongestRetryAfter = std::chrono::hours(1);

// `retry-after-ms`, else `retry-after` in seconds (fractions too) or as an HTTP date against `now_unix_ms`.
// Never below 0 nor above kLongestRetryAfter; nothing when neither can be read.
std::optional<std::chrono::milliseconds> RetryAfter(const HttpHeaders& headers, int64_t now_unix_ms);

}  // namespace llm_router
