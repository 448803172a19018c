#include "router/providers/provider.h"

#include <fmt/format.h>

#include <utility>

#include "proto/fault.h"

namespace llm_router {

Provider::Provider(const ProviderRow& row, const Dialect& dialect, ProviderConfig config)
    : row_(row), dialect_(dialect), config_(std::move(config)) {
  if (config_.base_url.empty()) config_.base_url = row.base_url;
  while (config_.base_url.ends_with('/')) config_.base_url.pop_back();
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

HttpCall Provider::MakeCall(std::string body) const {
  HttpCall call;
  call.url = fmt::format("{}{}", config_.base_url, row_.path);
  call.headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  for (const auto& [name, value] : row_.headers) call.headers.emplace_back(name, value);
  if (!config_.key.empty()) {
    call.headers.emplace_back(row_.auth_header, fmt::format("{}{}", row_.auth_prefix, config_.key.Reveal()));
  }
  call.body = std::move(body);
  return call;
}

void Provider::Simulate(std::string_view base_url) {
  config_.base_url = base_url;
  config_.key = Secret("simulated");
  simulated_ = true;
}

std::string Provider::KeyPlace() const {
  if (!config_.key_variable.empty()) return config_.key_variable;
  return fmt::format("the setting providers.{}.key", config_.id);
}

}  // namespace llm_router
