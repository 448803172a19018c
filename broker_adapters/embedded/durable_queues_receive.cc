// Receiving: the window, what is read into it, and who waits.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/pattern.h"
#include "broker_adapters/embedded/queue_limits.h"

namespace llm_router {
namespace {

constexpr size_t kMostLeasedBytes = size_t{512} * 1024 * 1024;

}  // namespace

Awaitable<absl::StatusOr<std::vector<Delivery>>> DurableQueues::Receive(std::string name,
                                                                        ReceiveOptions options) {
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  if (queues_.size() >= kMostQueues && !queues_.contains(name)) {
    co_return TooManyQueues();
  }
  QueueState& queue = StateOf(name);
  const TimePoint until = Now() + options.wait;
  std::vector<Delivery> deliveries;
  Timer turn(executor_, until);
  while (true) {
    CO_RETURN_IF_ERROR(co_await LoadNext(queue));
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
    Take(queue, options.max, deliveries);
    if (!deliveries.empty() || stopping_ || Now() >= until) break;
    turn.expires_at(until);
    queue.receivers.push_back(&turn);
    (void)co_await turn.async_wait(kUseTuple);
    std::erase(queue.receivers, &turn);
  }
  // Whoever waits behind this one was not told of what is left.
  if (!queue.window.empty() || queue.more_on_disk) WakeReceiver(queue);
  co_return deliveries;
}

// Sees to it that the window holds what is next in line.
Awaitable<absl::Status> DurableQueues::LoadNext(QueueState& queue) {
  while (queue.window.empty() && queue.more_on_disk && !stopping_) {
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
  queue.waiting -= std::min<uint64_t>(queue.waiting, page.damaged);
  for (Stored& stored : page.messages) {
    queue.loaded_to = stored.place.id;
    auto kept = Decode(stored.record, queue.name);
    // Its checksum holds, so a later version wrote it: it stays on disk for that one.
    if (!kept.ok()) {
      log::Error("a message of queue {} can't be read by this version: it stays where it is", queue.name);
      continue;
    }
    queue.Insert(
        QueueItem(stored.place, std::make_shared<KeptMessage>(*std::move(kept)), stored.record.size()));
  }
}

void DurableQueues::Take(QueueState& queue, size_t most, std::vector<Delivery>& deliveries) {
  const int64_t now = UnixNanos();
  while (deliveries.size() < most && !queue.window.empty() && leased_bytes_ < kMostLeasedBytes) {
    QueueItem item = queue.PopFront();
    --queue.waiting;
    if (item.HasExpired(now)) {
      Discard(queue, item);
    } else {
      deliveries.push_back(LeaseOut(queue, std::move(item)));
    }
  }
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
  leases_.emplace(lease, Lease{&queue, std::move(item)});
  return delivery;
}

// Gone for good, as soon as the disk gets round to it.
void DurableQueues::Discard(QueueState& queue, const QueueItem& item) {
  Shrink(queue, item.bytes + kOverhead);
  commits_.Submit(
      [file = file_.get(), id = item.place.id] {
        file->Erase(id);
        return absl::OkStatus();
      },
      0, [](const absl::Status&) {});
}

}  // namespace llm_router
