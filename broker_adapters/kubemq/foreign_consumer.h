// ForeignConsumer: receives from the queues of any KubeMQ server, a message at a time, and settles there.
//
// Such a server answers a Get when it is full or its wait (at least a second) is over, lets a Get block its
// stream, and keeps silent about settlements that went well. So each message has a stream of its own for as
// long as it is leased, from a pool; a settlement is known to be done when a question after it is answered. A
// delayed nack is a copy with DelaySeconds and an acknowledgement of the original: a break between the two
// makes two of it.
//
// Owned by RemoteQueues; loop thread only.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/kubemq/queue_leases.h"
#include "broker_adapters/kubemq/queue_sender.h"

namespace llm_router {

class ForeignConsumer {
 public:
  ForeignConsumer(Connection& connection, QueueLeases& leases, QueueSender& sender)
      : connection_(connection), leases_(leases), sender_(sender) {}

  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  Awaitable<absl::Status> Settle(std::vector<QueueLease> leases, Settlement settlement);
  void Stop(const absl::Status& why);

 private:
  struct Settling;

  std::shared_ptr<Downstream> TakeStream();
  void PutStream(std::shared_ptr<Downstream> stream);
  Settling Begin(QueueLease lease, kubemq::QueuesDownstreamRequestType type);
  Awaitable<absl::Status> End(Settling& settling);
  Awaitable<absl::Status> SettleAs(std::vector<QueueLease> leases, kubemq::QueuesDownstreamRequestType type);
  Awaitable<absl::Status> Delay(std::vector<QueueLease> leases, Milliseconds delay);

  Connection& connection_;
  QueueLeases& leases_;
  QueueSender& sender_;
  std::deque<std::shared_ptr<Downstream>> idle_;
  std::deque<std::weak_ptr<Downstream>> open_;  // all that Stop must end
  size_t receiving_ = 0;
  bool answers_offsets_ = true;  // as far as we know
};

}  // namespace llm_router
