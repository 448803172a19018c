#include "broker_adapters/nats/leases.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router::nats {

Receipt Leases::Add(Lease lease) {
  lease.key = next_++;
  Receipt receipt;
  receipt.token = std::to_string(lease.key);
  Keep(std::move(lease));
  return receipt;
}

absl::StatusOr<std::vector<Lease>> Leases::Take(const std::vector<Receipt>& receipts) {
  absl::flat_hash_set<uint64_t> keys;
  for (const Receipt& receipt : receipts) {
    const auto key = ParseNumber<uint64_t>(receipt.token);
    if (!key || !leases_.contains(*key) || !keys.insert(*key).second) {
      return MakeFault(Fault::kInvalidRequest,
                       "a receipt names no message that is leased: it was settled already");
    }
  }
  std::vector<Lease> taken;
  for (const Receipt& receipt : receipts)
    taken.push_back(std::move(leases_.extract(*ParseNumber<uint64_t>(receipt.token)).mapped()));
  return taken;
}

void Leases::LetRunOut(Lease lease) {
  lease.ends = std::min<TimePoint>(lease.ends, Now() + kLease);
  Keep(std::move(lease));
}

void Leases::Keep(Lease lease) {
  const uint64_t key = lease.key;
  leases_.insert_or_assign(key, std::move(lease));
  if (!connection_.stopping() && !std::exchange(renewing_, true)) connection_.tasks().Spawn(Renew());
}

Awaitable<void> Leases::Renew() {
  while (!leases_.empty() && co_await Sleep(Now() + kLease / 3)) {
    absl::erase_if(leases_, [](const auto& entry) { return entry.second.ends <= Now(); });
    for (const auto& [key, lease] : leases_) {
      if (lease.ends == TimePoint::max()) streams_.Mention(lease.receipt, "+WPI");
    }
  }
  renewing_ = false;
}

void Leases::ReturnAll() {
  for (const auto& [key, lease] : leases_) streams_.Mention(lease.receipt, "-NAK");
  leases_.clear();
}

}  // namespace llm_router::nats
