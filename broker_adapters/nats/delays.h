// Delays: moves messages from their delay to their queue when they are due.
//
// Done by every process that receives from the queue, as long as it does: the server gives each message that
// waits to one of them, and again at its time. A message that moves while a process dies is not doubled: it
// has the same id. Owned by the broker's queues; loop thread only.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/nats/streams.h"

namespace llm_router::nats {

class Delays {
 public:
  Delays(Connection& connection, Streams& streams) : connection_(connection), streams_(streams) {}

  // Somebody receives from the queue: its delays are looked after for a while. Fault overloaded where that
  // would be the 1,001st queue at a time: what was sent there with a delay would never come.
  absl::Status LookAfter(const std::string& queue);

 private:
  Awaitable<void> Run(std::string queue);
  Awaitable<void> Take(std::string queue);
  Awaitable<void> Move(std::string queue, std::vector<WireMessage> messages);

  Connection& connection_;
  Streams& streams_;
  absl::flat_hash_map<std::string, TimePoint> until_;  // of the queues that are looked after
};

}  // namespace llm_router::nats
