#include "client/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

bool IsHost(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  return !host.empty() && has_colon == bracketed &&
         host.find_first_of(" \t\r\n/[]@") == std::string_view::npos;
}

}  // namespace

std::string FromEnvironment(const char* name) {
  const char* const set = std::getenv(name);
  return set == nullptr ? std::string() : std::string(set);
}

std::string ResolveAddress(std::string_view given) {
  if (!given.empty()) return std::string(given);
  const std::string set = FromEnvironment("LLM_ROUTER_ADDRESS");
  return set.empty() ? std::string(kDefaultAddress) : set;
}

// Does not quote the key.
absl::Status CheckKey(std::string_view key) {
  if (std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; })) return absl::OkStatus();
  return MakeFault(
      Fault::kInvalidRequest,
      "the key holds a space or a character that no key has: copy it again, without quotes or \"Bearer\"");
}

absl::Status CheckAddress(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon != std::string_view::npos && IsHost(address.substr(0, colon)) &&
      ParseNumber<uint16_t>(address.substr(colon + 1)).value_or(0) > 0) {
    return absl::OkStatus();
  }
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("address \"{}\" is not valid: it is HOST:PORT, as in {}",
                               address.substr(0, 128), kDefaultAddress));
}

}  // namespace llm_router::client
