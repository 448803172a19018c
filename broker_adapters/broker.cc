#include "broker_adapters/broker.h"

#include <utility>

#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

absl::Status NoQueues() {
  return MakeFault(Fault::kNotSupported,
                   "this message broker keeps no queues: send a query or an event instead");
}

constexpr std::pair<Durability, std::string_view> kDurabilities[] = {
    {Durability::kNone, "none"},
    {Durability::kMemory, "memory"},
    {Durability::kDisk, "disk"},
    {Durability::kSynced, "synced"},
};

}  // namespace

std::string_view NameOf(Durability durability) {
  for (const auto& [value, name] : kDurabilities) {
    if (value == durability) return name;
  }
  return {};
}

std::optional<Durability> DurabilityNamed(std::string_view name) {
  for (const auto& [value, its_name] : kDurabilities) {
    if (its_name == name) return value;
  }
  return std::nullopt;
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> Broker::Send(std::string, std::vector<Outgoing>) {
  co_return NoQueues();
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> Broker::Receive(std::string, ReceiveOptions) {
  co_return NoQueues();
}

Awaitable<absl::Status> Broker::Settle(std::vector<Receipt>, Settlement) { co_return NoQueues(); }

Awaitable<absl::StatusOr<QueueInfo>> Broker::Info(std::string) { co_return NoQueues(); }

Awaitable<absl::StatusOr<std::string>> Broker::Tenant() { co_return std::string(contract::kDefaultTenant); }

}  // namespace llm_router
