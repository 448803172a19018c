// QueueLook: what lies in the queues, looked at and not taken; and emptying one.
//
// JetStream does not show what was given out and comes again: a peek shows what nobody was given yet, and a
// purge leaves what waits for the end of a nack's delay. Owned by the broker; loop thread only. Faults:
// not_supported where the server has no JetStream, or the queue's stream does not let itself be read.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/nats/connection.h"
#include "broker_adapters/nats/streams.h"

namespace llm_router::nats {

class QueueLook final : public QueueAdmin {
 public:
  // Both outlive it.
  QueueLook(Connection& connection, Streams& streams) : connection_(connection), streams_(streams) {}

  Awaitable<absl::StatusOr<std::vector<Delivery>>> Peek(std::string queue, size_t max) override;
  Awaitable<absl::StatusOr<uint64_t>> Purge(std::string queue) override;
  Awaitable<absl::StatusOr<std::vector<QueueTotals>>> Queues() override;

 private:
  // The next message from `sequence` on; none where there is none.
  Awaitable<absl::StatusOr<std::optional<WireMessage>>> Next(std::string queue, uint64_t sequence);
  // Takes what is there, `most` at most, to be acknowledged.
  Awaitable<std::vector<std::string>> Take(std::string queue, size_t most);

  Connection& connection_;
  Streams& streams_;
};

}  // namespace llm_router::nats
