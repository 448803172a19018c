// libnats in our terms: messages both ways, the options of a connection, and what its failures mean.
//
// Nothing here but Open blocks; any thread.
#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/nats/nats_broker.h"
#include "broker_adapters/nats/wire_message.h"

namespace llm_router::nats {

struct ConnectionEnd {
  void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }
};
using NatsConnection = std::unique_ptr<natsConnection, ConnectionEnd>;

struct SubscriptionEnd {
  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }
};
using NatsSubscription = std::unique_ptr<natsSubscription, SubscriptionEnd>;

// Called on a thread of libnats; `closed` is the last one. Not called after a failed Open.
struct ConnectionCalls {
  natsConnectionHandler disconnected = nullptr;
  natsConnectionHandler reconnected = nullptr;
  natsConnectionHandler closed = nullptr;
  natsErrHandler failed = nullptr;
  void* closure = nullptr;
};

// Connects to one of the servers: 2 s for each. Faults engine_unavailable and unauthenticated.
absl::StatusOr<NatsConnection> Open(const NatsOptions& options, const ConnectionCalls& calls);

natsStatus Publish(natsConnection& connection, const WireMessage& message);
// A copy.
WireMessage FromNats(natsMsg& message);

}  // namespace llm_router::nats
