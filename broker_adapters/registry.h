// The engines: one row per URL scheme. The only place that turns a `broker` setting into a Broker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/broker.h"

namespace llm_router {

struct BrokerOptions {
  BrokerOptions() = default;

  std::string url;                     // embedded:DIR, kubemq://host:50000
  std::string client_id;               // how this process calls itself on a foreign engine
  size_t max_body = 32 * 1024 * 1024;  // bytes; an engine that carries less says so in its Caps
};

// Whether `url` names an engine that runs in this process.
bool IsEmbedded(std::string_view url);

// Checks a URL without opening anything; the error names the schemes there are.
[[nodiscard]] absl::Status CheckBrokerUrl(std::string_view url);

// Opens the engine. A foreign one that can't be reached now is no error: the adapter goes on trying.
absl::StatusOr<std::unique_ptr<Broker>> OpenBroker(Executor executor, BrokerOptions options);

}  // namespace llm_router
