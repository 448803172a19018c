// What a text must be to be a host, a key, a provider's id, a base URL. Pure; any thread.
//
// Each fails with invalid_request and "what is wrong: remedy"; none quotes what could be a secret.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace llm_router {

// Whether only this machine can reach a server that listens there.
bool IsLoopback(std::string_view host);

[[nodiscard]] absl::Status CheckHost(std::string_view host);
// Fit for an HTTP header: printable ASCII without spaces.
[[nodiscard]] absl::Status CheckKey(std::string_view key);
// `sha256:` and 64 lower-case hex digits.
inline constexpr std::string_view kKeyHashPrefix = "sha256:";
[[nodiscard]] absl::Status CheckKeyHash(std::string_view hash);
// What logs call a key: letters, digits, _, - and .
[[nodiscard]] absl::Status CheckKeyId(std::string_view id);
// A part of channel names: letters, digits, _ and -.
[[nodiscard]] absl::Status CheckTenant(std::string_view tenant);
[[nodiscard]] absl::Status CheckProviderId(std::string_view id);
// sqlite:DIR.
inline constexpr std::string_view kSqliteStore = "sqlite:";
[[nodiscard]] absl::Status CheckStore(std::string_view store);
// http(s)://host[:port][/path], nothing else.
[[nodiscard]] absl::Status CheckBaseUrl(std::string_view url);
// The same, of a collector of spans.
[[nodiscard]] absl::Status CheckCollectorUrl(std::string_view url);
// What a browser calls a page's origin: http(s)://host[:port]; or *.
[[nodiscard]] absl::Status CheckOrigin(std::string_view origin);
// Fit for a URL's query as it is: 2024-10-21, 2025-01-01-preview.
[[nodiscard]] absl::Status CheckApiVersion(std::string_view version);
// An HTTP header that a user may add to calls: none that the call itself or its key needs.
[[nodiscard]] absl::Status CheckHeaderName(std::string_view name);
// One of what is sent to a collector: its key may be among them.
[[nodiscard]] absl::Status CheckCollectorHeaderName(std::string_view name);
[[nodiscard]] absl::Status CheckHeaderValue(std::string_view value);

}  // namespace llm_router
