// Queues: the queue verbs over JetStream. Each queue is a stream of its own with two subjects: what can be
// taken, and what waits for its time.
//
// A delivery counts from the server's count, less those that were released: of these a note is kept. What
// JetStream cannot do is done here, by whoever receives from a queue: messages move from their delay to the
// queue when they are due (delays.h), expired ones are dropped when they come up, and those that used up
// their deliveries move to their dead letters. A nacked message comes before those that were never given.
// Owned by the broker; loop thread only.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/nats/delays.h"
#include "broker_adapters/nats/leases.h"
#include "broker_adapters/nats/mailbox.h"
#include "broker_adapters/nats/streams.h"

namespace llm_router::nats {

class Queues {
 public:
  // Both outlive it.
  Queues(Connection& connection, Streams& streams);

  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue, std::vector<Outgoing> messages);
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement);
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue);
  void Stop() { leases_.ReturnAll(); }

 private:
  using Deliveries = absl::StatusOr<std::vector<Delivery>>;

  absl::Status Ask(const std::string& queue, std::string pull, Mailbox& mailbox, TimePoint until);
  Awaitable<absl::Status> Open(const std::string& queue, TimePoint deadline);
  absl::Status Check(const Outgoing& outgoing) const;
  Awaitable<Deliveries> TakeWhatIsThere(const std::string& queue, size_t max, Mailbox& mailbox);
  Awaitable<Deliveries> WaitForOne(const std::string& queue, TimePoint until, Mailbox& mailbox);
  // Adds the message to `taken`, unless it is over for it.
  Awaitable<void> Accept(const std::string& queue, WireMessage message, std::vector<Delivery>& taken);
  Awaitable<absl::Status> Bury(const Lease& lease);
  Awaitable<absl::Status> SettleAs(std::vector<Lease> leases, std::string verdict);
  Awaitable<absl::Status> Nack(std::vector<Lease> leases, Milliseconds delay);
  Awaitable<absl::Status> Release(std::vector<Lease> leases);
  Awaitable<void> GiveBack(std::string receipt, Ticket ticket);

  Connection& connection_;
  Streams& streams_;
  Leases leases_;
  Delays delays_;
};

}  // namespace llm_router::nats
