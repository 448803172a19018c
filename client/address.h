// Where the server is: HOST:PORT, as the client and its command line take it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace llm_router::client {

inline constexpr std::string_view kDefaultAddress = "127.0.0.1:50000";

// `given`, else $LLM_ROUTER_ADDRESS, else kDefaultAddress.
std::string ResolveAddress(std::string_view given);

// Fault invalid_request unless `address` is HOST:PORT (an IPv6 host in brackets).
[[nodiscard]] absl::Status CheckAddress(std::string_view address);

}  // namespace llm_router::client
