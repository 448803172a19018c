// Random identifiers. Safe to call from any thread.
#pragma once

#include <string>

namespace llm_router {

// 22 random base-62 characters (131 bits), the form KubeMQ's own ids have: for messages, queries, workers,
// replies.
std::string NewId();

// 32 lower-case hex digits, 128 bits from the system's random source: for what must not be guessed.
std::string NewSecretId();

}  // namespace llm_router
