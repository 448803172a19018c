#include "broker_adapters/kubemq/queue_leases.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router {

Receipt QueueLeases::Add(QueueLease lease) {
  if (leases_.size() >= drop_at_) DropLost();
  lease.key = next_++;
  Receipt receipt;
  receipt.token = std::to_string(lease.key);
  Insert(std::move(lease));
  return receipt;
}

// Who lost its message may never settle it.
void QueueLeases::DropLost() {
  std::vector<uint64_t> lost;
  for (const auto& [key, lease] : leases_) {
    if (lease.stream->is_over()) lost.push_back(key);
  }
  for (const uint64_t key : lost) (void)Extract(key);
  drop_at_ = std::max<size_t>(1'024, 2 * leases_.size());
}

absl::StatusOr<std::vector<QueueLease>> QueueLeases::Take(const std::vector<Receipt>& receipts) {
  absl::flat_hash_set<uint64_t> keys;
  bool lost = false;
  for (const Receipt& receipt : receipts) {
    const auto key = ParseNumber<uint64_t>(receipt.token);
    const auto found = key ? leases_.find(*key) : leases_.end();
    if (found == leases_.end() || !keys.insert(*key).second) {
      return MakeFault(Fault::kInvalidRequest,
                       "a receipt names no message that is leased: it was settled already, or the connection "
                       "to the server broke");
    }
    lost = lost || found->second.stream->is_over();
  }
  if (lost) {
    return MakeFault(Fault::kEngineUnavailable,
                     "the connection to the server broke after the message was received: it went back to "
                     "its queue and will come again");
  }
  std::vector<QueueLease> taken;
  for (const Receipt& receipt : receipts) taken.push_back(Extract(*ParseNumber<uint64_t>(receipt.token)));
  return taken;
}

void QueueLeases::PutBack(QueueLease lease) { Insert(std::move(lease)); }

void QueueLeases::Insert(QueueLease lease) {
  ++by_stream_[lease.stream.get()];
  const uint64_t key = lease.key;
  leases_.emplace(key, std::move(lease));
}

QueueLease QueueLeases::Extract(uint64_t key) {
  QueueLease lease = std::move(leases_.extract(key).mapped());
  const auto count = by_stream_.find(lease.stream.get());
  if (--count->second == 0) by_stream_.erase(count);
  return lease;
}

size_t QueueLeases::CountOf(const Downstream& stream) const {
  const auto count = by_stream_.find(&stream);
  return count == by_stream_.end() ? 0 : count->second;
}

}  // namespace llm_router
