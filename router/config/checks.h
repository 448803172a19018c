// What a text must be to be a host, a key, a provider's id, a base URL. Pure; any thread.
//
// Each fails with invalid_request and "what is wrong: remedy"; none quotes what could be a secret.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace llm_router {

[[nodiscard]] absl::Status CheckHost(std::string_view host);
// Fit for an HTTP header: printable ASCII without spaces.
[[nodiscard]] absl::Status CheckKey(std::string_view key);
[[nodiscard]] absl::Status CheckProviderId(std::string_view id);
// http(s)://host[:port][/path], nothing else.
[[nodiscard]] absl::Status CheckBaseUrl(std::string_view url);

}  // namespace llm_router
