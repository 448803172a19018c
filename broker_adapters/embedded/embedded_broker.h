// EmbeddedBroker: the message broker that runs in this process. No socket, no copy, no thread hop.
//
// Queries and commands go to the member of a group with the fewest unanswered ones, below its capacity; when
// all are at theirs they wait, first come first served. Each group gets one copy, each subscriber without a
// group gets its own; the first answer ends the query, and whoever else still runs it is cancelled. A query
// that nobody serves is held until its deadline. Events are delivered in the order they were published, after
// Publish returned: a handler may publish, subscribe and unsubscribe. Queues and stored events are kept in a
// folder, if it is given one; nothing else is kept beyond the process.
//
// A cancelled handler unwinds after ~Subscription returned: what it refers to must live until `Drain()` or
// `Stop()` is through. Subscriptions may outlive the broker once it was stopped.
#pragma once

#include <memory>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/embedded/queue_options.h"
#include "broker_adapters/embedded/stored_options.h"

namespace llm_router {

struct EmbeddedOptions {
  EmbeddedOptions() = default;

  size_t max_body = 32 * 1024 * 1024;            // bytes
  size_t max_waiting = 10'000;                   // queries not yet given to a handler, per channel
  size_t max_waiting_bytes = 512 * 1024 * 1024;  // of all of them, and again of events not yet delivered
  size_t max_waiting_events = 100'000;           // events not yet delivered
};

// Keeps neither queues nor stored events: cannot fail.
std::unique_ptr<Broker> MakeEmbeddedBroker(Executor executor, EmbeddedOptions options);

// Keeps both in `queues.folder`, which is then this process's alone (folder, file system and largest body of
// `stored` are those of `queues` and `options`). Fault storage_failed when it can't be used.
absl::StatusOr<std::unique_ptr<Broker>> OpenEmbeddedBroker(Executor executor, EmbeddedOptions options,
                                                           QueueOptions queues, StoredOptions stored = {});

}  // namespace llm_router
