#include "router/providers/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/fault.h"

namespace llm_router {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    encoded += IsUnreserved(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

// Puts `value` where `url` has `name`, if it has.
void Replace(std::string& url, std::string_view name, std::string_view value) {
  const size_t at = url.find(name);
  if (at != url.npos) url.replace(at, name.size(), PercentEncoded(value));
}

// "/v1" of "https://host/v1".
std::string_view PathOf(std::string_view url) {
  const size_t host = url.find("://");
  const size_t path = host == url.npos ? url.npos : url.find('/', host + 3);
  return path == url.npos ? std::string_view() : url.substr(path);
}

}  // namespace

Provider::Provider(const ProviderRow& row, const Dialect& dialect, ProviderConfig config)
    : row_(row), dialect_(dialect), config_(std::move(config)) {
  if (config_.base_url.empty()) config_.base_url = row.base_url;
  while (config_.base_url.ends_with('/')) config_.base_url.pop_back();
  if (config_.api_version.empty()) config_.api_version = row_.api_version;
}

absl::Status Provider::CheckKey() const {
  if (!row_.needs_key || !config_.key.empty()) return absl::OkStatus();
  if (config_.key_variable.empty()) {
    return MakeFault(
        Fault::kProviderKeyMissing,
        fmt::format("provider {} has no key: give it key: \"${{{}}}\" in the configuration and set that "
                    "variable, or start with --simulate",
                    config_.id, row_.key_variable));
  }
  return MakeFault(
      Fault::kProviderKeyMissing,
      fmt::format("provider {} has no key: set {} in the environment or in .env, or start with --simulate",
                  config_.id, config_.key_variable));
}

const Dialect* Provider::DialectFor(const Dialect& callers) const {
  if (&callers == &dialect_) return &dialect_;
  const auto speaks = [&](const Endpoint& endpoint) { return endpoint.dialect == callers.name(); };
  if (std::ranges::any_of(row_.more, speaks)) return &callers;
  return callers.kind() == DialectKind::kChat ? &dialect_ : nullptr;
}

HttpCall Provider::MakeCall(const Dialect& dialect, std::string_view model, std::string body,
                            Warnings& warnings) const {
  std::string_view path = row_.path;
  for (const Endpoint& endpoint : row_.more) {
    if (endpoint.dialect == dialect.name()) path = endpoint.path;
  }
  HttpCall call;
  call.url = UrlFor(path, model);
  call.headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  for (const auto& [name, value] : config_.headers) call.headers.emplace_back(name, value.Reveal());
  for (const auto& [name, value] : row_.headers) {
    if (HeaderOr(call.headers, name).empty()) call.headers.emplace_back(name, value);
  }
  if (!config_.key.empty()) {
    call.headers.emplace_back(row_.auth_header, fmt::format("{}{}", row_.auth_prefix, config_.key.Reveal()));
  }
  // The quirks are those of chats.
  call.body =
      &dialect == &dialect_ ? ApplyQuirks(row_.quirks, model, std::move(body), warnings) : std::move(body);
  return call;
}

std::string Provider::UrlFor(std::string_view path, std::string_view model) const {
  std::string url = fmt::format("{}{}", config_.base_url, path);
  Replace(url, "{model}", model);
  Replace(url, "{api_version}", config_.api_version);
  return url;
}

void Provider::Simulate(std::string_view root) {
  const std::string_view usual = row_.base_url.empty() ? row_.example_base_url : row_.base_url;
  config_.base_url = fmt::format("{}/{}{}", root, row_.type, PathOf(usual));
  config_.key = Secret("simulated");
  simulated_ = true;
}

std::string Provider::Redact(std::string_view text) const {
  std::string redacted = config_.key.Redact(text);
  for (const auto& [name, value] : config_.headers) redacted = value.Redact(redacted);
  return redacted;
}

std::string Provider::KeyPlace() const {
  if (!config_.key_variable.empty()) return config_.key_variable;
  return fmt::format("the setting providers.{}.key", config_.id);
}

}  // namespace llm_router
