// The engines: one row per URL scheme. The only place that turns a `broker` setting into a Broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/secret.h"
#include "broker_adapters/base/tls_files.h"
#include "broker_adapters/broker.h"

namespace llm_router {

struct BrokerOptions {
  BrokerOptions() = default;

  std::string url;        // embedded:DIR, kubemq://host:50000, nats://a:4222,b:4222
  std::string client_id;  // how this process calls itself on a foreign engine
  Secret key;             // a foreign engine's, or empty; NATS calls it a token
  std::string user;       // of NATS, as are the next four
  Secret password;
  std::string creds;                   // path to a credentials file
  int replicas = 1;                    // of the streams that keep queues
  bool in_memory = false;              // whether these are kept there only
  std::optional<TlsPem> tls;           // towards a foreign engine; none: plaintext
  size_t max_body = 32 * 1024 * 1024;  // bytes; an engine that carries less says so in its Caps
  // What an engine in this process keeps on disk: queues, and stored events, for how long.
  uint64_t queue_bytes = uint64_t{10} * 1024 * 1024 * 1024;
  uint64_t event_bytes = uint64_t{10} * 1024 * 1024 * 1024;
  std::chrono::hours event_age{24};
};

// Whether `url` names an engine that runs in this process.
bool IsEmbedded(std::string_view url);
// Where such a one keeps what is durable.
std::string_view EmbeddedFolder(std::string_view url);

// Checks a URL without opening anything; the error names the schemes there are.
[[nodiscard]] absl::Status CheckBrokerUrl(std::string_view url);
// The same of everything else: an engine in this process takes neither key nor TLS, and only NATS the rest.
[[nodiscard]] absl::Status CheckBrokerOptions(const BrokerOptions& options);

// Opens the engine. A foreign one that can't be reached now is no error: the adapter goes on trying. One in
// this process needs its folder for itself: fault storage_failed when it can't have it.
absl::StatusOr<std::unique_ptr<Broker>> OpenBroker(Executor executor, BrokerOptions options);

}  // namespace llm_router
