// Looking into the queues, and emptying them.
#include <algorithm>
#include <deque>
#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/queue_limits.h"
#include "broker_adapters/pattern.h"

namespace llm_router {

Awaitable<absl::StatusOr<QueueInfo>> DurableQueues::Info(std::string name) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  QueueInfo info;
  info.waiting = info.leased = info.delayed = info.dead = 0;
  const auto found = queues_.find(name);
  if (found == queues_.end()) co_return info;
  QueueState& queue = *found->second;
  const QueueState::InUse in_use(queue);
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
  QueueState& queue = *found->second;
  const QueueState::InUse in_use(queue);
  CO_RETURN_IF_ERROR(co_await LoadNext(queue, std::min(max, kWindow / 2)));
  const int64_t now = UnixNanos();
  for (const QueueItem& item : queue.window) {
    if (deliveries.size() >= max) break;
    if (!item.HasExpired(now)) deliveries.push_back(DeliveryOf(item));
  }
  co_return deliveries;
}

// What a purge has done; shared by the commit thread and the loop. Leases at its begin are kept, also where
// they end meanwhile; the window is put by, and nothing read into it, so that nobody takes what is going.
struct DurableQueues::Purging {
  explicit Purging(Executor executor) : outcome(executor) {}

  int64_t queue = 0;
  QueueFile::Purge last;
  absl::flat_hash_set<int64_t> kept;
  std::deque<QueueItem> window;
  uint64_t removed = 0;
  OneShot<absl::Status> outcome;
};

Awaitable<absl::StatusOr<uint64_t>> DurableQueues::Purge(std::string name) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  const auto found = queues_.find(name);
  if (found == queues_.end()) co_return 0;
  QueueState& queue = *found->second;
  const QueueState::InUse in_use(queue);
  while (queue.loading) {
    (void)co_await queue.loaded.async_wait(kUseTuple);
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
  }
  if (stopping_) co_return QueuesStopping();
  const auto purging = std::make_shared<Purging>(executor_);
  purging->kept = leased_ids_;
  purging->window = std::exchange(queue.window, {});
  queue.window_bytes = 0;
  queue.more_on_disk = true;
  queue.loading = true;
  ++queue.users;
  PurgeMore(queue, purging);
  const auto outcome = co_await purging->outcome.Wait(TimePoint::max());
  if (!outcome) co_return MakeFault(Fault::kCancelled, "the caller went away: the purge goes on");
  CO_RETURN_IF_ERROR(*outcome);
  co_return purging->removed;
}

// A step after the other, each a transaction, so that neither the WAL nor who sends meanwhile has to wait
// for all.
void DurableQueues::PurgeMore(QueueState& queue, std::shared_ptr<Purging> purging) {
  const auto step = std::make_shared<QueueFile::Purge>();
  commits_.Submit(
      [file = file_.get(), name = queue.name, purging, step] {
        *step = file->PurgeMore(file->QueueId(name), purging->last, purging->kept, kPurgedAtOnce);
        return absl::OkStatus();
      },
      0,
      [this, &queue, purging, step](const absl::Status& status) {
        if (status.ok()) {
          purging->last = *step;
          purging->removed += step->messages + step->delayed;
          queue.delayed -= std::min(step->delayed, queue.delayed);
          Shrink(queue, step->delayed * kOverhead);
          Gone(queue, step->messages, step->bytes);
          if (!step->done && !stopping_) return PurgeMore(queue, purging);
        }
        Purged(queue, *purging, status);
      });
}

void DurableQueues::Purged(QueueState& queue, Purging& purging, const absl::Status& status) {
  for (QueueItem& item : purging.window) {
    if (!purging.last.done && item.place.id > purging.last.after) queue.Insert(std::move(item));
  }
  queue.loading = false;
  --queue.users;
  queue.loaded.cancel();
  WakeReceiver(queue);
  purging.outcome.Set(status.ok() && !purging.last.done ? QueuesStopping() : status);
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
