// KubemqDoor: the KubeMQ gRPC server on port 50000, over any broker: every KubeMQ SDK is a caller, and a
// worker if it likes.
//
// Speaks queries, commands, events, stored events, Ping and channel management; queues, and stored events
// where the broker has none, are answered UNIMPLEMENTED. Texts and order of refusals are KubeMQ community
// server v2.4.0's. A failure of a query is a reply with executed=false, never an RPC error (but for KubeMQ's
// own, such as Error 301), so that no SDK asks and pays twice. Subscriptions end with UNAVAILABLE when the
// door stops, never with OK.
//
// Beyond that wire, for adapters of ours (broker_adapters/kubemq): Ping carries initial metadata
// `llm-router: 1`; initial metadata on a subscription means that it is in force; and the service of
// proto/workers.proto is there.
//
// A call's key is its metadata `authorization`, raw or behind "Bearer ": without a known one it ends with
// UNAUTHENTICATED, and with PERMISSION_DENIED where the key's access does not go (access_rules.h). Ping needs
// no key, but refuses a wrong one.
//
// Owned by the composition root. Start, Stop and stats on the loop thread (Start also before the loop runs);
// `co_await Stop()` after the KubemqServer's and before destruction.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/kubemq_server.h"
#include "router/net/server_tls.h"

namespace llm_router {

struct KubemqDoorOptions {
  KubemqDoorOptions() = default;

  std::string host = "127.0.0.1";
  int port = 50000;                // 0: any free one
  const ServerTls* tls = nullptr;  // outlives the door; null: plaintext
};

class KubemqDoor {
 public:
  // Listens. Fails when the address is taken.
  static absl::StatusOr<std::unique_ptr<KubemqDoor>> Start(std::shared_ptr<KubemqServer> server,
                                                           KubemqDoorOptions options);
  virtual ~KubemqDoor() = default;

  virtual int port() const = 0;
  virtual DoorStats stats() const = 0;

  // Ends the streams of callers whose keys are no longer configured as they were.
  virtual void EndRevoked() = 0;

  // Ends all streams and closes. The server is stopped before, so that what is in flight has its answer.
  virtual Awaitable<void> Stop() = 0;
};

}  // namespace llm_router
