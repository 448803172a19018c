// Receiving: the window, what is read into it, and who waits.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/queue_limits.h"
#include "broker_adapters/pattern.h"

namespace llm_router {
Awaitable<absl::StatusOr<std::vector<Delivery>>> DurableQueues::Receive(std::string name,
                                                                        ReceiveOptions options) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  if (!IsRoomFor(name)) co_return TooManyQueues();
  QueueState& queue = StateOf(name);
  ++queue.users;
  auto received = co_await ReceiveFrom(queue, options);
  --queue.users;
  ForgetIfUnused(queue);
  co_return received;
}

// Takes as the last thing it does, with no wait after it: nobody can cancel it in between.
Awaitable<absl::StatusOr<std::vector<Delivery>>> DurableQueues::ReceiveFrom(QueueState& queue,
                                                                            ReceiveOptions options) {
  const TimePoint until = Now() + options.wait;
  std::vector<Delivery> deliveries;
  Timer turn(executor_, until);
  absl::Status status = absl::OkStatus();
  while (true) {
    status = co_await LoadNext(queue);
    if (stopping_) status = QueuesStopping();
    if (co_await Cancelled()) status = MakeFault(Fault::kCancelled, "the caller went away");
    if (!status.ok()) break;
    Take(queue, options.max, deliveries);
    if (!deliveries.empty() || Now() >= until) break;
    turn.expires_at(until);
    queue.receivers.push_back(&turn);
    (void)co_await turn.async_wait(kUseTuple);
    std::erase(queue.receivers, &turn);
  }
  // Whoever waits behind this one was not told of what is left, nor that this one, which was told, is gone.
  if (!queue.window.empty() || queue.more_on_disk) WakeReceiver(queue);
  if (!status.ok()) co_return status;
  co_return deliveries;
}

// Strangers may ask for any name: what was never sent to takes no memory.
void DurableQueues::ForgetIfUnused(QueueState& queue) {
  if (queue.IsUnused() && !stopping_) queues_.erase(queues_.find(queue.name));
}

// Sees to it that the window holds what is next in line: one message, or about `least` of them.
Awaitable<absl::Status> DurableQueues::LoadNext(QueueState& queue, size_t least) {
  const auto is_short = [&queue, least] {
    if (queue.window.empty()) return true;
    return queue.window.size() < least && queue.window_bytes < kWindowBytes / 2;
  };
  while (is_short() && queue.more_on_disk && !stopping_) {
    if (queue.loading) {
      (void)co_await queue.loaded.async_wait(kUseTuple);
      if (co_await Cancelled()) co_return absl::OkStatus();
      continue;
    }
    queue.loading = true;
    const auto page = std::make_shared<QueueFile::Page>();
    const auto loaded = [this, &queue, page](const absl::Status& status) {
      queue.loading = false;
      if (status.ok()) Loaded(queue, *page);
      queue.loaded.cancel();
    };
    CO_RETURN_IF_ERROR(co_await commits_.Commit(
        [file = file_.get(), name = queue.name, after = queue.loaded_to, page] {
          *page = file->Read(file->QueueId(name), after, kWindow / 4, kWindowBytes / 4);
          return absl::OkStatus();
        },
        0, loaded));
  }
  co_return absl::OkStatus();
}

void DurableQueues::Loaded(QueueState& queue, QueueFile::Page& page) {
  queue.more_on_disk = page.more;
  Gone(queue, page.damaged, page.damaged_bytes);
  for (Stored& stored : page.messages) {
    queue.loaded_to = stored.place.id;
    auto kept = Decode(stored.record);
    // Its checksum holds, so a later version wrote it: it stays on disk for that one.
    if (!kept.ok() || kept->message.channel != queue.name) {
      log::Error("a message of queue {} can't be read by this version: it stays where it is", queue.name);
      continue;
    }
    queue.Insert(
        QueueItem(stored.place, std::make_shared<KeptMessage>(*std::move(kept)), stored.record.size()));
  }
}

void DurableQueues::Take(QueueState& queue, size_t most, std::vector<Delivery>& deliveries) {
  const int64_t now = UnixNanos();
  std::vector<QueueItem> expired;
  while (deliveries.size() < most && !queue.window.empty() && leased_bytes_ < options_.max_leased_bytes) {
    QueueItem item = queue.PopFront();
    if (item.HasExpired(now)) {
      expired.push_back(std::move(item));
      continue;
    }
    --queue.waiting;
    deliveries.push_back(LeaseOut(queue, std::move(item)));
  }
  if (!expired.empty()) Discard(queue, std::move(expired));
}

Delivery DurableQueues::DeliveryOf(const QueueItem& item) {
  Delivery delivery;
  delivery.message = item.kept->message;
  delivery.deliveries = item.place.deliveries + 1;
  delivery.attributes.sequence = item.place.sequence;
  delivery.attributes.sent_at = item.kept->sent_at;
  delivery.attributes.expires_at = item.place.expires;
  delivery.attributes.rerouted_from = item.kept->rerouted_from;
  delivery.attributes.max_deliveries = item.kept->max_deliveries;
  delivery.attributes.dead_letter = item.kept->dead_letter;
  return delivery;
}

Delivery DurableQueues::LeaseOut(QueueState& queue, QueueItem item) {
  Delivery delivery = DeliveryOf(item);
  const uint64_t lease = next_lease_++;
  delivery.receipt.token = std::to_string(lease);
  ++queue.leased;
  leased_bytes_ += item.bytes;
  leased_ids_.insert(item.place.id);
  leases_.emplace(lease, Lease{&queue, std::move(item)});
  return delivery;
}

// Gone for good, as soon as the disk gets round to it. Whoever erases an expired message counts it off, this
// or DropExpired; where the disk fails it is the latter's.
void DurableQueues::Discard(QueueState& queue, std::vector<QueueItem> items) {
  struct Discarded {
    std::vector<QueueItem> items;
    uint64_t messages = 0, bytes = 0;
  };
  const auto discarded = std::make_shared<Discarded>();
  discarded->items = std::move(items);
  commits_.Submit(
      [file = file_.get(), discarded] {
        discarded->messages = discarded->bytes = 0;
        for (const QueueItem& item : discarded->items) {
          if (!file->Erase(item.place.id)) continue;
          ++discarded->messages;
          discarded->bytes += item.bytes;
        }
        return absl::OkStatus();
      },
      0,
      [this, name = queue.name, discarded](const absl::Status& status) {
        if (status.ok()) Gone(StateOf(name), discarded->messages, discarded->bytes);
      });
}

}  // namespace llm_router
