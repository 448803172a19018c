// Looking into the queues, and emptying them.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/pattern.h"
#include "broker_adapters/embedded/queue_limits.h"

namespace llm_router {

Awaitable<absl::StatusOr<QueueInfo>> DurableQueues::Info(std::string name) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  QueueInfo info;
  info.waiting = info.leased = info.delayed = info.dead = 0;
  const auto found = queues_.find(name);
  if (found == queues_.end()) co_return info;
  QueueState& queue = *found->second;
  CO_RETURN_IF_ERROR(co_await LoadNext(queue));
  info.waiting = queue.waiting;
  info.leased = queue.leased;
  info.delayed = queue.delayed;
  info.dead = queue.dead;
  if (!queue.window.empty()) {
    const int64_t age = std::max<int64_t>(UnixNanos() - queue.window.front().kept->sent_at, 0);
    info.oldest_age = std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds(age));
  }
  co_return info;
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> DurableQueues::Peek(std::string name, size_t max) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  std::vector<Delivery> deliveries;
  const auto found = queues_.find(name);
  if (found == queues_.end()) co_return deliveries;
  CO_RETURN_IF_ERROR(co_await LoadNext(*found->second));
  const int64_t now = UnixNanos();
  for (const QueueItem& item : found->second->window) {
    if (deliveries.size() >= max) break;
    if (!item.HasExpired(now)) deliveries.push_back(DeliveryOf(item));
  }
  co_return deliveries;
}

Awaitable<absl::StatusOr<uint64_t>> DurableQueues::Purge(std::string name) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  const auto found = queues_.find(name);
  if (found == queues_.end()) co_return 0;
  QueueState& queue = *found->second;
  const auto removed = std::make_shared<uint64_t>(0);
  // Leases are kept, also where they end meanwhile; the window is put by, so that nobody takes what is going.
  const auto kept = std::make_shared<absl::flat_hash_set<int64_t>>(LeasedIds());
  const auto window = std::make_shared<std::deque<QueueItem>>(std::exchange(queue.window, {}));
  queue.window_bytes = 0;
  queue.more_on_disk = true;
  CO_RETURN_IF_ERROR(co_await Commit(
      [file = file_.get(), name, kept, removed] {
        *removed = file->Purge(file->QueueId(name), *kept);
        return absl::OkStatus();
      },
      0,
      [this, &queue, kept, window](const absl::Status& status) {
        if (status.ok()) return Purged(queue, *kept);
        for (QueueItem& item : *window) queue.Insert(std::move(item));
      }));
  co_return *removed;
}

// Works are done in order: what is there now was leased when the purge began, or read just before it.
void DurableQueues::Purged(QueueState& queue, const absl::flat_hash_set<int64_t>& kept) {
  queue.delayed = 0;
  for (QueueItem& item : std::exchange(queue.window, {})) {
    queue.window_bytes -= item.bytes;
    if (kept.contains(item.place.id)) queue.Insert(std::move(item));
  }
  queue.waiting = queue.window.size();
  uint64_t left = queue.window_bytes + queue.waiting * kOverhead;
  for (const auto& [lease, of] : leases_) {
    if (of.queue == &queue) left += of.item.bytes + kOverhead;
  }
  Shrink(queue, queue.bytes - left);
}

Awaitable<absl::StatusOr<std::vector<QueueTotals>>> DurableQueues::Queues() {
  if (stopping_) co_return QueuesStopping();
  std::vector<QueueTotals> all;
  for (const auto& [name, queue] : queues_) {
    if (queue->last_sequence == 0 && queue->delayed == 0) continue;
    QueueTotals& totals = all.emplace_back();
    totals.name = name;
    totals.waiting = queue->waiting;
    totals.leased = queue->leased;
    totals.delayed = queue->delayed;
    totals.bytes = queue->bytes;
    totals.last_sequence = queue->last_sequence;
    if (queue->waiting == 0) continue;
    totals.first_sequence = queue->window.empty() ? queue->last_sequence - queue->waiting + 1
                                                  : queue->window.front().place.sequence;
  }
  co_return all;
}

}  // namespace llm_router
