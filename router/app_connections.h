// Connections: how this process is reached and reaches others, with its files read. A value.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "broker_adapters/registry.h"
#include "router/config/config.h"
#include "router/net/server_tls.h"

namespace llm_router {

struct Connections {
  BrokerOptions broker;
  std::unique_ptr<ServerTls> tls;  // null: plaintext
};

absl::StatusOr<Connections> ReadConnections(const Config& config);

}  // namespace llm_router
