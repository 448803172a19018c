#include "router/app_connections.h"

#include <utility>

#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

absl::StatusOr<BrokerOptions> ReadBroker(const Config& config) {
  constexpr TlsNames kNames{"broker.ca", "broker.cert", "broker.cert_key"};
  BrokerOptions options;
  options.url = config.broker.url;
  options.key = config.broker.key;
  options.user = config.broker.user;
  options.password = config.broker.password;
  options.creds = config.broker.creds;
  options.replicas = config.broker.replicas;
  options.in_memory = config.broker.in_memory;
  options.max_body = static_cast<size_t>(config.limits.body);
  options.queue_bytes = static_cast<uint64_t>(config.limits.queue_bytes);
  options.event_bytes = static_cast<uint64_t>(config.limits.event_bytes);
  options.event_age = std::chrono::hours(config.limits.event_hours);
  ASSIGN_OR_RETURN(options.tls, ReadTls(config.broker.tls, kNames));
  RETURN_IF_ERROR(CheckBrokerOptions(options));
  return options;
}

}  // namespace

absl::StatusOr<Connections> ReadConnections(const Config& config) {
  constexpr TlsNames kNames{"listen.tls.client_ca", "listen.tls.cert", "listen.tls.cert_key"};
  Connections connections;
  ASSIGN_OR_RETURN(connections.broker, ReadBroker(config));
  ASSIGN_OR_RETURN(connections.tls, ServerTls::Load(config.listen.tls, kNames));
  return connections;
}

}  // namespace llm_router
