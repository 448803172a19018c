// QueueConsumer: receives from the queues of a server of ours and settles there, all over
// QueuesDownstream (proto/kubemq_queue_text.h has what we say to it beyond KubeMQ's wire).
//
// Owned by RemoteQueues; loop thread only. One stream carries it all until it carries much; more are opened
// when they are needed, and anew after they broke: what was leased by them is then back in its queue. A
// message that arrives for a Receive that is no longer waited for goes back at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/kubemq/queue_leases.h"

namespace llm_router {

class QueueConsumer {
 public:
  QueueConsumer(Connection& connection, QueueLeases& leases) : connection_(connection), leases_(leases) {}

  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  // Returns when the server has done it. Leases that it would not settle are put back.
  Awaitable<absl::Status> Settle(std::vector<QueueLease> leases, Settlement settlement);
  void Stop(const absl::Status& why);

 private:
  // One with room for another Get; null: there are too many.
  std::shared_ptr<Downstream> Stream();
  Awaitable<absl::Status> Await(Downstream& stream, const Downstream::Asked& asked);

  Connection& connection_;
  QueueLeases& leases_;
  std::vector<std::shared_ptr<Downstream>> streams_;  // shared with gRPC, leases, and who waits for an answer
};

}  // namespace llm_router
