// KubemqDoor: the KubeMQ gRPC server on port 50000, over any broker: every KubeMQ SDK is a caller, and a
// worker if it likes.
//
// Speaks queries, commands, events, Ping and channel management; queues and stored events are answered
// UNIMPLEMENTED. Texts and order of refusals are KubeMQ community server v2.4.0's. A failure of a query is a
// reply with executed=false, never an RPC error (but for KubeMQ's own, such as Error 301), so that no SDK
// asks and pays twice. Subscriptions end with UNAVAILABLE when the door stops, never with OK.
//
// Beyond that wire, for adapters of ours (broker_adapters/kubemq): Ping carries initial metadata
// `llm-router: 1`; initial metadata on a subscription means that it is in force; and the service of
// proto/workers.proto is there.
//
// Owned by the composition root. Start, Stop and stats on the loop thread (Start also before the loop runs);
// `co_await Stop()` before destruction, and before the broker's.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/broker.h"
#include "router/gateway/door_stats.h"
#include "router/gateway/roster.h"

namespace llm_router {

struct KubemqDoorOptions {
  KubemqDoorOptions() = default;

  std::string host = "127.0.0.1";
  int port = 50000;                    // 0: any free one
  size_t max_body = 32 * 1024 * 1024;  // bytes of a query, reply or event
  std::string version = "v2.4.0";      // in Ping; SDKs warn about versions they do not know
  // False: like a foreign server, without what is listed above, and callers of a subscriber that went away
  // are not told.
  bool announce = true;
};

class KubemqDoor {
 public:
  // Listens. Fails when the address is taken.
  static absl::StatusOr<std::unique_ptr<KubemqDoor>> Start(Loop& loop, Broker& broker,
                                                           KubemqDoorOptions options);
  virtual ~KubemqDoor() = default;

  virtual int port() const = 0;
  virtual DoorStats stats() const = 0;
  // The living workers and their routes.
  virtual const Roster& roster() const = 0;

  // Refuses new calls, answers what is in flight for at most `grace`, then tells the rest that it is shutting
  // down and ends all streams.
  virtual Awaitable<void> Stop(Milliseconds grace = std::chrono::seconds(20)) = 0;
};

}  // namespace llm_router
