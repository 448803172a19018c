#include "broker_adapters/registry.h"

#include <fmt/format.h>

#include <array>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

absl::StatusOr<std::unique_ptr<Broker>> OpenEmbedded(Executor executor, const BrokerOptions& broker,
                                                     std::string_view folder) {
  EmbeddedOptions options;
  options.max_body = broker.max_body;
  QueueOptions queues;
  queues.folder = std::string(folder);
  queues.max_bytes = broker.queue_bytes;
  StoredOptions stored;
  stored.max_bytes = broker.event_bytes;
  stored.max_age = broker.event_age;
  return OpenEmbeddedBroker(executor, options, std::move(queues), std::move(stored));
}

// Whether what goes there stays on this machine.
bool IsThisMachine(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
}

absl::StatusOr<std::unique_ptr<Broker>> OpenKubemq(Executor executor, const BrokerOptions& broker,
                                                   std::string_view address) {
  KubemqOptions options;
  options.address = std::string(address);
  if (!broker.key.empty() && !broker.tls && !IsThisMachine(address))
    log::Warning("broker.key: goes to {} unencrypted: give broker.ca for TLS", address);
  options.client_id = broker.client_id;
  options.key = broker.key;
  options.tls = broker.tls;
  options.max_body = broker.max_body;
  return MakeKubemqBroker(executor, options);
}

bool IsFolder(std::string_view rest) { return !rest.empty(); }

// HOST:PORT; an IPv6 host stands in brackets.
bool IsAddress(std::string_view rest) {
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0 ||
      rest.find_first_of("/?#@ ") != std::string_view::npos) {
    return false;
  }
  const bool one_colon = rest.find(':') == colon || rest[colon - 1] == ']';
  const auto port = ParseNumber<int>(rest.substr(colon + 1));
  return one_colon && port.has_value() && *port >= 1 && *port <= 65535;
}

struct Engine {
  std::string_view prefix;  // of its URLs
  std::string_view form;    // as a user writes it
  bool (*valid)(std::string_view rest);
  absl::StatusOr<std::unique_ptr<Broker>> (*open)(Executor executor, const BrokerOptions& broker,
                                                  std::string_view rest);
};

constexpr std::array kEngines = {
    Engine{"embedded:", "embedded:DIR", IsFolder, OpenEmbedded},
    Engine{"kubemq://", "kubemq://HOST:PORT", IsAddress, OpenKubemq},
};

const Engine* FindEngine(std::string_view url) {
  for (const Engine& engine : kEngines) {
    if (url.starts_with(engine.prefix)) return &engine;
  }
  return nullptr;
}

}  // namespace

bool IsEmbedded(std::string_view url) { return url.starts_with(kEngines.front().prefix); }

// Does not quote the URL: somebody may have put a password into it.
absl::Status CheckBrokerUrl(std::string_view url) {
  const Engine* engine = FindEngine(url);
  if (engine == nullptr) {
    return MakeFault(Fault::kInvalidRequest, fmt::format("names no message broker: write {} or {}",
                                                         kEngines[0].form, kEngines[1].form));
  }
  if (engine->valid(url.substr(engine->prefix.size()))) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest, fmt::format("is not a whole URL: write {}", engine->form));
}

absl::Status CheckBrokerOptions(const BrokerOptions& options) {
  RETURN_IF_ERROR(CheckBrokerUrl(options.url));
  if (!IsEmbedded(options.url) || (options.key.empty() && !options.tls)) return absl::OkStatus();
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("broker: an embedded broker takes no {}: remove it, or name a broker elsewhere, as {}",
                  options.tls ? "ca, cert or cert_key" : "key", kEngines[1].form));
}

absl::StatusOr<std::unique_ptr<Broker>> OpenBroker(Executor executor, BrokerOptions options) {
  RETURN_IF_ERROR(CheckBrokerOptions(options));
  const Engine& engine = *FindEngine(options.url);
  return engine.open(executor, options, std::string_view(options.url).substr(engine.prefix.size()));
}

}  // namespace llm_router
