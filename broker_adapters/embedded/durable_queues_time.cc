// What time does: delayed messages come due, others expire.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/queue_limits.h"

namespace llm_router {
namespace {

constexpr auto kSweep = std::chrono::seconds(30);
constexpr auto kTryAgain = std::chrono::seconds(1);

TimePoint OnSteadyClock(int64_t unix_ns) {
  return Now() + std::chrono::nanoseconds(std::max<int64_t>(unix_ns - UnixNanos(), 0));
}

}  // namespace

Awaitable<void> DurableQueues::ReleaseDelayed() {
  while (!co_await Cancelled()) {
    if (next_due_ == 0 || next_due_ > UnixNanos()) {
      due_.expires_at(next_due_ == 0 ? TimePoint::max() : OnSteadyClock(next_due_));
      (void)co_await due_.async_wait(kUseTuple);
      continue;
    }
    const absl::Status released = co_await ReleaseDue();
    if (released.ok() || co_await Cancelled()) continue;
    log::Error("delayed messages can't be released: {}", MessageOf(released));
    (void)co_await Sleep(Now() + kTryAgain);
  }
}

Awaitable<absl::Status> DurableQueues::ReleaseDue() {
  struct Outcome {
    std::vector<QueueFile::Released> released;
    int64_t next_due = 0;
  };
  const auto outcome = std::make_shared<Outcome>();
  const auto work = [file = file_.get(), outcome] {
    outcome->released = file->ReleaseDue(UnixNanos(), kMovedAtOnce);
    outcome->next_due = file->NextDue();
    return absl::OkStatus();
  };
  co_return co_await commits_.Commit(work, 0, [this, outcome](const absl::Status& status) {
    if (!status.ok()) return;
    next_due_ = outcome->next_due;
    for (QueueFile::Released& released : outcome->released) {
      QueueState& queue = StateOf(released.queue);
      queue.delayed -= std::min<uint64_t>(queue.delayed, 1);
      auto kept = Decode(released.stored.record);
      if (!kept.ok() || kept->message.channel != queue.name)
        continue;  // of a later version: on disk it stays
      Append(queue, QueueItem(released.stored.place, std::make_shared<KeptMessage>(*std::move(kept)),
                              released.stored.record.size()));
    }
  });
}

Awaitable<void> DurableQueues::DropExpired() {
  while (co_await Sleep(Now() + kSweep)) {
    const auto expired = std::make_shared<std::vector<QueueFile::Expired>>();
    // What is leased stays until it is settled. As of now: what is leased later has not expired yet.
    const auto kept = std::make_shared<const absl::flat_hash_set<int64_t>>(leased_ids_);
    const auto work = [file = file_.get(), expired, kept, now = UnixNanos()] {
      *expired = file->EraseExpired(now, kMovedAtOnce, *kept);
      return absl::OkStatus();
    };
    (void)co_await commits_.Commit(work, 0, [this, expired](const absl::Status& status) {
      if (status.ok()) Expired(*expired);
    });
  }
}

void DurableQueues::Expired(const std::vector<QueueFile::Expired>& expired) {
  for (const QueueFile::Expired& one : expired) {
    const auto found = queues_.find(one.queue);
    if (found == queues_.end() || leased_ids_.contains(one.id)) continue;
    Gone(*found->second, 1, one.bytes);
    (void)found->second->Remove(one.id);
  }
}

}  // namespace llm_router
