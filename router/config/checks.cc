#include "router/config/checks.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr std::string_view kKeyHeaders[] = {"api-key", "authorization", "x-api-key"};
constexpr std::string_view kOwnHeaders[] = {"accept",
                                            "accept-encoding",
                                            "connection",
                                            "content-encoding",
                                            "content-length",
                                            "content-type",
                                            "expect",
                                            "host",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade"};

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsIpv6(std::string_view text) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool IsPath(std::string_view text) {
  constexpr std::string_view kMarks = "/-_.~!$&'()*+,;=:@%";
  return std::ranges::all_of(
      text, [&](char c) { return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos; });
}

bool IsPort(std::string_view text) {
  const auto port = ParseNumber<int>(text);
  return port && *port >= 1 && *port <= 65535;
}

// host, host:port, [::1] or [::1]:port.
bool IsAuthority(std::string_view text) {
  std::string_view host = text;
  std::string_view after;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    after = text.substr(close + 1);
    if (!IsIpv6(host)) return false;
  } else {
    host = text.substr(0, text.find(':'));
    after = text.substr(host.size());
    if (!IsName(host)) return false;
  }
  return after.empty() || (after.front() == ':' && IsPort(after.substr(1)));
}

absl::Status Refuse(std::string_view complaint) { return MakeFault(Fault::kInvalidRequest, complaint); }

std::string LowerCase(std::string_view text) {
  return absl::AsciiStrToLower(absl::string_view(text.data(), text.size()));
}

absl::Status CheckUrl(std::string_view url, std::string_view remedy, std::string_view key_place) {
  const size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return Refuse(fmt::format("does not begin with http:// or https://: {}", remedy));
  }
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::string_view path = rest.substr(authority.size());
  if (authority.find('@') != std::string_view::npos) {
    return Refuse(fmt::format("holds a user name or password: remove it, and give the key as {}", key_place));
  }
  if (!IsAuthority(authority)) return Refuse(fmt::format("has no valid host and port: {}", remedy));
  if (path.find_first_of("?#") != std::string_view::npos) {
    return Refuse(fmt::format("holds a query or a fragment: remove what begins with ? or #, and {}", remedy));
  }
  if (!IsPath(path)) return Refuse(fmt::format("has a path with characters no URL has: {}", remedy));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHost(std::string_view host) {
  if (IsName(host) || IsIpv6(host)) return absl::OkStatus();
  return Refuse("is no host: give an address such as 127.0.0.1, or a name, without a port");
}

bool IsLoopback(std::string_view host) {
  const std::string text(host);
  in_addr v4;
  in6_addr v6;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24U == 127;
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

absl::Status CheckKeyHash(std::string_view hash) {
  const std::string_view digits = hash.substr(std::min(kKeyHashPrefix.size(), hash.size()));
  const bool is_hash = hash.starts_with(kKeyHashPrefix) && digits.size() == 64 &&
                       digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (is_hash) return absl::OkStatus();
  return Refuse(
      "is no hash of a key: give sha256: and 64 hex digits, as `llm-router keys new` prints them, not the "
      "key");
}

absl::Status CheckKeyId(std::string_view id) {
  if (IsName(id)) return absl::OkStatus();
  return Refuse("is no id for a key: use letters, digits, _, - and .");
}

absl::Status CheckTenant(std::string_view tenant) {
  if (IsName(tenant) && tenant.find('.') == std::string_view::npos) return absl::OkStatus();
  return Refuse("is no name for a tenant: use letters, digits, _ and -");
}

absl::Status CheckStore(std::string_view store) {
  if (store.starts_with(kSqliteStore) && store.size() > kSqliteStore.size()) return absl::OkStatus();
  return Refuse("names no store: write sqlite:DIR");
}

absl::Status CheckKey(std::string_view key) {
  if (std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; })) return absl::OkStatus();
  return Refuse(
      "holds a space or a character that no key has: copy the key again, without line breaks or quotes");
}

absl::Status CheckProviderId(std::string_view id) {
  if (IsName(id) && id.size() <= 128) return absl::OkStatus();
  return Refuse("is no id for a provider: use at most 128 letters, digits, _, - and .");
}

absl::Status CheckApiVersion(std::string_view version) {
  if (IsName(version)) return absl::OkStatus();
  return Refuse("is no version of an API: give it as in its documentation, such as 2024-10-21");
}

absl::Status CheckCollectorHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const bool token = !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [&](char c) {
    return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
  if (!token) return Refuse("is no name of an HTTP header: use letters, digits and -");
  if (std::ranges::find(kOwnHeaders, LowerCase(name)) != std::end(kOwnHeaders))
    return Refuse("is written by the call itself: remove it");
  return absl::OkStatus();
}

absl::Status CheckHeaderName(std::string_view name) {
  if (std::ranges::find(kKeyHeaders, LowerCase(name)) != std::end(kKeyHeaders))
    return Refuse("carries the key: remove it, and give the key as `key`");
  return CheckCollectorHeaderName(name);
}

absl::Status CheckHeaderValue(std::string_view value) {
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c < '\x7f'; });
  if (printable) return absl::OkStatus();
  return Refuse("holds a character that no header has: use printable ASCII, without line breaks");
}

absl::Status CheckBaseUrl(std::string_view url) {
  return CheckUrl(url, "give http(s)://host[:port][/path], such as https://api.openai.com/v1", "`key`");
}

absl::Status CheckCollectorUrl(std::string_view url) {
  return CheckUrl(url, "give http(s)://host[:port][/path], such as http://127.0.0.1:4318", "a header");
}

absl::Status CheckOrigin(std::string_view origin) {
  if (origin == "*") return absl::OkStatus();
  if (absl::Status url = CheckBaseUrl(origin); !url.ok()) return url;
  if (origin.find('/', origin.find("://") + 3) == std::string_view::npos) return absl::OkStatus();
  return Refuse("has a path: give an origin, such as https://app.example.com, or *");
}

}  // namespace llm_router
