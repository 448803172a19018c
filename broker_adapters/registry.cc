#include "broker_adapters/registry.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "proto/fault.h"
#ifdef LLM_ROUTER_NATS
#include "broker_adapters/nats/nats_broker.h"
#endif

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

void WarnOfPlaintext(const BrokerOptions& broker, std::string_view setting, std::string_view address) {
  if (!broker.tls && !IsThisMachine(address))
    log::Warning("{}: goes to {} unencrypted: give broker.ca for TLS", setting, address);
}

absl::StatusOr<std::unique_ptr<Broker>> OpenKubemq(Executor executor, const BrokerOptions& broker,
                                                   std::string_view address) {
  KubemqOptions options;
  options.address = std::string(address);
  if (!broker.key.empty()) WarnOfPlaintext(broker, "broker.key", address);
  options.client_id = broker.client_id;
  options.key = broker.key;
  options.tls = broker.tls;
  options.max_body = broker.max_body;
  return MakeKubemqBroker(executor, options);
}

constexpr std::string_view kNats = "nats://";
constexpr size_t kMostServers = 64;

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

// HOST[:PORT] of each server, with NATS's port where there is none.
std::vector<std::string> ServersOf(std::string_view rest) {
  std::vector<std::string> servers;
  for (bool more = true; more;) {
    const size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    std::string server(rest.substr(0, comma));
    if (more) rest.remove_prefix(comma + 1);
    const bool has_port = server.rfind(':') != std::string::npos && !server.ends_with(']');
    servers.push_back(has_port || server.empty() ? std::move(server) : server + ":4222");
  }
  return servers;
}

bool AreServers(std::string_view rest) {
  const auto servers = ServersOf(rest);
  return servers.size() <= kMostServers && std::ranges::all_of(servers, IsAddress);
}

#ifdef LLM_ROUTER_NATS
absl::StatusOr<std::unique_ptr<Broker>> OpenNats(Executor executor, const BrokerOptions& broker,
                                                 std::string_view rest) {
  NatsOptions options;
  options.servers = ServersOf(rest);
  for (const std::string& server : options.servers) {
    if (!broker.key.empty()) WarnOfPlaintext(broker, "broker.key", server);
    if (!broker.password.empty()) WarnOfPlaintext(broker, "broker.password", server);
  }
  options.client_id = broker.client_id;
  options.user = broker.user;
  options.password = broker.password;
  options.token = broker.key;
  options.creds = broker.creds;
  options.tls = broker.tls;
  options.max_body = broker.max_body;
  options.replicas = broker.replicas;
  options.in_memory = broker.in_memory;
  return MakeNatsBroker(executor, std::move(options));
}
constexpr auto kOpenNats = OpenNats;
#else
constexpr absl::StatusOr<std::unique_ptr<Broker>> (*kOpenNats)(Executor, const BrokerOptions&,
                                                               std::string_view) = nullptr;
#endif

struct Engine {
  std::string_view prefix;  // of its URLs
  std::string_view form;    // as a user writes it
  bool (*valid)(std::string_view rest);
  absl::StatusOr<std::unique_ptr<Broker>> (*open)(Executor executor, const BrokerOptions& broker,
                                                  std::string_view rest);  // null: not in this build
  std::string_view library = "";                                           // that brings it into a build
};

constexpr std::array kEngines = {
    Engine{"embedded:", "embedded:DIR", IsFolder, OpenEmbedded},
    Engine{"kubemq://", "kubemq://HOST:PORT", IsAddress, OpenKubemq},
    Engine{kNats, "nats://HOST:PORT,HOST:PORT", AreServers, kOpenNats, "libnats-dev"},
};

// What only NATS has, if any of it was given.
std::string_view OnlyOfNats(const BrokerOptions& options) {
  if (!options.user.empty() || !options.password.empty()) return "user and password";
  if (!options.creds.empty()) return "creds";
  if (options.replicas != 1) return "replicas";
  return options.in_memory ? "storage" : "";
}

absl::Status CheckNats(const BrokerOptions& options) {
  const int ways = int{!options.key.empty()} + int{!options.creds.empty()} +
                   int{!options.user.empty() || !options.password.empty()};
  if (ways > 1)
    return MakeFault(Fault::kInvalidRequest, "broker: give key, or user and password, or creds: one of them");
  if (!options.password.empty() && options.user.empty())
    return MakeFault(Fault::kInvalidRequest, "broker: a password is given, and no user: give broker.user");
  if (!options.creds.empty() && access(options.creds.c_str(), R_OK) != 0) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("broker.creds: cannot read {}: name a credentials file", options.creds));
  }
  return absl::OkStatus();
}

const Engine* FindEngine(std::string_view url) {
  for (const Engine& engine : kEngines) {
    if (url.starts_with(engine.prefix)) return &engine;
  }
  return nullptr;
}

}  // namespace

bool IsEmbedded(std::string_view url) { return url.starts_with(kEngines.front().prefix); }

std::string_view EmbeddedFolder(std::string_view url) { return url.substr(kEngines.front().prefix.size()); }

// Does not quote the URL: somebody may have put a password into it.
absl::Status CheckBrokerUrl(std::string_view url) {
  const Engine* engine = FindEngine(url);
  if (engine == nullptr) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("names no message broker: write {}, {} or {}", kEngines[0].form,
                                 kEngines[1].form, kEngines[2].form));
  }
  if (engine->open == nullptr) {
    return MakeFault(
        Fault::kNotSupported,
        fmt::format("names an engine that this build is without: install {} and build it again, or "
                    "write {}",
                    engine->library, kEngines[0].form));
  }
  if (engine->valid(url.substr(engine->prefix.size()))) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest, fmt::format("is not a whole URL: write {}", engine->form));
}

absl::Status CheckBrokerOptions(const BrokerOptions& options) {
  RETURN_IF_ERROR(CheckBrokerUrl(options.url));
  if (options.url.starts_with(kNats)) return CheckNats(options);
  if (const std::string_view only_nats = OnlyOfNats(options); !only_nats.empty()) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("broker: only NATS takes {}: remove it, or name a broker as {}", only_nats,
                                 kEngines[2].form));
  }
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
