// Where the server is, HOST:PORT, and the key to it, as the client and its command line take them. Any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace llm_router::client {

inline constexpr std::string_view kDefaultAddress = "127.0.0.1:50000";

// `given`, else $LLM_ROUTER_ADDRESS, else kDefaultAddress.
std::string ResolveAddress(std::string_view given);

// The value of the environment's `name`; empty where it has none.
std::string FromEnvironment(const char* name);

// Fault invalid_request unless `key` (empty: none) is fit to be sent: printable ASCII without spaces.
[[nodiscard]] absl::Status CheckKey(std::string_view key);

// Fault invalid_request unless `address` is HOST:PORT (an IPv6 host in brackets).
[[nodiscard]] absl::Status CheckAddress(std::string_view address);

}  // namespace llm_router::client
