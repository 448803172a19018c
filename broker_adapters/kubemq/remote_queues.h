// RemoteQueues: the queue verbs over the KubeMQ wire, and a look into the queues.
//
// At a server of ours (proto/kubemq_queue_text.h, proto/queues.proto) they are what that server's engine can
// do. At a foreign one: Receive gives one message at a time and waits a second at least; a delayed nack is a
// copy and an acknowledgement, so its message may come twice; Info and Queues count what is leased as
// waiting, and know nothing of delayed and dead. Everywhere Send counts delays and expiries in whole seconds,
// rounded up, and a message without a limit of deliveries may have the server's (1,024; at ours, on queues of
// jobs, none).
//
// Part of the broker of kubemq_broker.h; loop thread only. Every verb goes to the server at once and fails
// with engine_unavailable when that can't be reached; the next one tries anew.
#pragma once

#include <string>
#include <vector>

#include "broker_adapters/kubemq/foreign_consumer.h"
#include "broker_adapters/kubemq/queue_consumer.h"

namespace llm_router {

class RemoteQueues final : public QueueAdmin {
 public:
  explicit RemoteQueues(Connection& connection)
      : connection_(connection),
        sender_(connection),
        consumer_(connection, leases_),
        foreign_(connection, leases_, sender_) {}

  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue, std::vector<Outgoing> messages);
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement);
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue);

  Awaitable<absl::StatusOr<std::vector<Delivery>>> Peek(std::string queue, size_t max) override;
  Awaitable<absl::StatusOr<uint64_t>> Purge(std::string queue) override;
  Awaitable<absl::StatusOr<std::vector<QueueTotals>>> Queues() override;

  // Fails all that waits with shutting_down; what is leased goes back.
  void Stop();

 private:
  // Whether the server is one of ours; fails when `queue` can't be, or the server keeps no queues.
  Awaitable<absl::StatusOr<bool>> Meet(std::string queue);
  Awaitable<absl::StatusOr<kubemq::QueuesInfoResponse>> AskForeignInfo(std::string queue);

  Connection& connection_;
  QueueLeases leases_;
  QueueSender sender_;
  QueueConsumer consumer_;
  ForeignConsumer foreign_;
};

}  // namespace llm_router
