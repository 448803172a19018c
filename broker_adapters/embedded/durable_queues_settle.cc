// Settling: leases end by an acknowledgement, a nack or a release.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/queue_limits.h"

namespace llm_router {

// What a nack does with each of its messages; shared likewise.
struct DurableQueues::Moving {
  struct One {
    uint64_t lease = 0;
    Lease held;
    std::shared_ptr<const KeptMessage> kept;
    std::string to;  // empty: dropped
    std::string record;
    int64_t due = 0;  // 0 = at once
    int deliveries = 0;
    bool dead = false;  // it used up its deliveries
    Place place;
  };
  std::vector<One> messages;
};

absl::StatusOr<std::vector<uint64_t>> DurableQueues::LeasesOf(const std::vector<Receipt>& receipts) const {
  std::vector<uint64_t> leases;
  absl::flat_hash_set<uint64_t> seen;
  for (const Receipt& receipt : receipts) {
    const auto lease = ParseNumber<uint64_t>(receipt.token);
    if (!lease || !leases_.contains(*lease) || !seen.insert(*lease).second) {
      return MakeFault(Fault::kInvalidRequest,
                       "a receipt names no message that is leased: it was settled already");
    }
    leases.push_back(*lease);
  }
  return leases;
}

Awaitable<absl::Status> DurableQueues::Settle(std::vector<Receipt> receipts, Settlement settlement) {
  if (stopping_) co_return QueuesStopping();
  if (settlement.delay.count() < 0) {
    co_return MakeFault(Fault::kInvalidRequest, "a nack's delay can't be negative");
  }
  CO_ASSIGN_OR_RETURN(const auto leases, LeasesOf(receipts));
  switch (settlement.verdict) {
    case Settlement::Verdict::kRelease:
      Release(leases);
      co_return absl::OkStatus();
    case Settlement::Verdict::kAck:
      co_return co_await Acknowledge(leases);
    case Settlement::Verdict::kNack:
      co_return co_await Reject(leases, settlement.delay);
  }
  co_return MakeFault(Fault::kInternal, "a settlement without a verdict");
}

DurableQueues::Lease DurableQueues::EndLease(uint64_t lease) {
  Lease ended = std::move(leases_.extract(lease).mapped());
  --ended.queue->leased;
  leased_ids_.erase(ended.item.place.id);
  const bool was_full = leased_bytes_ >= options_.max_leased_bytes;
  leased_bytes_ -= ended.item.bytes;
  if (was_full && leased_bytes_ < options_.max_leased_bytes) WakeBlocked();
  return ended;
}

// Those whom only the bytes of leases kept from what waits.
void DurableQueues::WakeBlocked() {
  for (const auto& [name, queue] : queues_) {
    if (queue->waiting > 0) WakeReceiver(*queue);
  }
}

void DurableQueues::Release(const std::vector<uint64_t>& leases) {
  for (const uint64_t lease : leases) {
    Lease ended = EndLease(lease);
    ++ended.queue->waiting;
    ended.queue->Insert(std::move(ended.item));
    WakeReceiver(*ended.queue);
  }
}

Awaitable<absl::Status> DurableQueues::Acknowledge(std::vector<uint64_t> leases) {
  // Held meanwhile: nobody settles twice, and a failure gives them back.
  const auto held = std::make_shared<std::vector<std::pair<uint64_t, Lease>>>();
  for (const uint64_t lease : leases) held->emplace_back(lease, Hold(lease));
  co_return co_await commits_.Commit(
      [file = file_.get(), held] {
        for (const auto& [lease, of] : *held) file->Erase(of.item.place.id);
        return absl::OkStatus();
      },
      held->size() * kOverhead,
      [this, held](const absl::Status& status) {
        for (auto& [lease, of] : *held) {
          leases_.emplace(lease, std::move(of));
          if (!status.ok()) continue;
          const Lease ended = EndLease(lease);
          Shrink(*ended.queue, ended.item.bytes + kOverhead);
        }
      });
}

DurableQueues::Lease DurableQueues::Hold(uint64_t lease) {
  return std::move(leases_.extract(lease).mapped());
}

std::shared_ptr<DurableQueues::Moving> DurableQueues::MovesOf(const std::vector<uint64_t>& leases,
                                                              Milliseconds delay) {
  auto moving = std::make_shared<Moving>();
  for (const uint64_t lease : leases) {
    Moving::One& one = moving->messages.emplace_back();
    one.lease = lease;
    one.held = Hold(lease);
    const QueueItem& item = one.held.item;
    one.kept = item.kept;
    one.to = one.held.queue->name;
    one.deliveries = item.place.deliveries + 1;
    one.dead = item.kept->max_deliveries > 0 && one.deliveries >= item.kept->max_deliveries;
    if (one.dead) {
      one.to = item.kept->dead_letter;
      one.deliveries = 0;
      auto rerouted = std::make_shared<KeptMessage>(*item.kept);
      rerouted->rerouted_from = one.held.queue->name;
      rerouted->message.channel = one.to;
      rerouted->max_deliveries = 0;
      rerouted->dead_letter.clear();
      one.kept = std::move(rerouted);
    } else if (delay.count() > 0) {
      one.due = After(UnixNanos(), delay);
    }
    one.record = Encode(*one.kept);
  }
  return moving;
}

void DurableQueues::Move(QueueFile& file, Moving& moving) {
  for (Moving::One& one : moving.messages) {
    const QueueItem& item = one.held.item;
    file.Erase(item.place.id);
    if (one.dead) file.CountDead(file.QueueId(one.held.queue->name));
    if (one.to.empty()) continue;
    const int64_t to = file.QueueId(one.to);
    if (one.due > 0) {
      file.AddDelayed(to, one.record, one.due, item.place.expires, one.deliveries);
    } else {
      one.place = file.Add(to, one.record, item.place.expires, one.deliveries);
    }
  }
}

Awaitable<absl::Status> DurableQueues::Reject(std::vector<uint64_t> leases, Milliseconds delay) {
  const auto moving = MovesOf(leases, delay);
  size_t bytes = 0;
  for (const Moving::One& one : moving->messages) bytes += one.record.size();
  co_return co_await commits_.Commit(
      [file = file_.get(), moving] {
        Move(*file, *moving);
        return absl::OkStatus();
      },
      bytes, [this, moving](const absl::Status& status) { Moved(*moving, status.ok()); });
}

void DurableQueues::Moved(Moving& moving, bool done) {
  for (Moving::One& one : moving.messages) {
    leases_.emplace(one.lease, std::move(one.held));
    if (!done) continue;
    const Lease ended = EndLease(one.lease);
    Shrink(*ended.queue, ended.item.bytes + kOverhead);
    if (one.dead) ++ended.queue->dead;
    if (one.to.empty()) continue;
    QueueState& to = StateOf(one.to);
    Grow(to, one.record.size() + kOverhead);
    if (one.due > 0) {
      ++to.delayed;
      Expect(one.due);
    } else {
      Append(to, QueueItem(one.place, std::move(one.kept), one.record.size()));
    }
  }
}

}  // namespace llm_router
