#include "broker_adapters/broker.h"

#include "proto/fault.h"

namespace llm_router {
namespace {

absl::Status NoQueues() {
  return MakeFault(Fault::kNotSupported,
                   "this message broker keeps no queues: send a query or an event instead");
}

}  // namespace

Awaitable<absl::StatusOr<std::vector<SendResult>>> Broker::Send(std::string, std::vector<Outgoing>) {
  co_return NoQueues();
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> Broker::Receive(std::string, ReceiveOptions) {
  co_return NoQueues();
}

Awaitable<absl::Status> Broker::Settle(std::vector<Receipt>, Settlement) { co_return NoQueues(); }

Awaitable<absl::StatusOr<QueueInfo>> Broker::Info(std::string) { co_return NoQueues(); }

}  // namespace llm_router
