#include "broker_adapters/embedded/durable_queues.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/pattern.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kWindow = 4'096;
constexpr size_t kWindowBytes = size_t{8} * 1024 * 1024;
constexpr size_t kMostLeasedBytes = size_t{512} * 1024 * 1024;
constexpr size_t kMostUncommitted = size_t{256} * 1024 * 1024;
constexpr size_t kMostQueues = 100'000;
constexpr size_t kMovedAtOnce = 1'000;
constexpr size_t kOverhead = 256;  // of a message, in memory and on disk, beside its record
constexpr auto kSweep = std::chrono::seconds(30);
constexpr auto kTryAgain = std::chrono::seconds(1);

absl::Status Stopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: send elsewhere or later");
}

int64_t After(int64_t now, Milliseconds wait) {
  return now + std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
}

TimePoint OnSteadyClock(int64_t unix_ns) {
  return Now() + std::chrono::nanoseconds(std::max<int64_t>(unix_ns - UnixNanos(), 0));
}

}  // namespace

// What a Send writes; shared by the commit thread and the loop.
struct DurableQueues::Sending {
  struct One {
    std::shared_ptr<const KeptMessage> kept;
    std::string record;
    int64_t due = 0;  // 0 = at once
    int64_t expires = 0;
    size_t result = 0;  // which of the results it is
    Place place;
  };
  std::string queue;
  std::vector<One> messages;
  size_t bytes = 0;
};

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

absl::StatusOr<std::unique_ptr<DurableQueues>> DurableQueues::Open(Executor executor, QueueOptions options) {
  ASSIGN_OR_RETURN(auto database, OpenSqlite(options.folder / "queues.sqlite", options.vfs));
  ASSIGN_OR_RETURN(auto file, QueueFile::Open(*database));
  return std::unique_ptr<DurableQueues>(
      new DurableQueues(executor, std::move(options), std::move(file), std::move(database)));
}

DurableQueues::DurableQueues(Executor executor, QueueOptions options, std::unique_ptr<QueueFile> file,
                             std::unique_ptr<SQLite::Database> database)
    : executor_(executor),
      options_(std::move(options)),
      commits_(executor, std::move(database), [this] { file_->RolledBack(); }),
      file_(std::move(file)),
      tasks_(executor),
      due_(executor, TimePoint::max()) {
  for (const QueueCount& count : file_->counts()) {
    QueueState& queue = StateOf(count.name);
    queue.waiting = count.messages;
    queue.more_on_disk = count.messages > 0;
    queue.delayed = count.delayed;
    queue.dead = count.dead;
    bytes_ += count.bytes + (count.messages + count.delayed) * kOverhead;
  }
  next_due_ = file_->first_due();
  tasks_.Spawn(ReleaseDelayed());
  tasks_.Spawn(DropExpired());
}

DurableQueues::~DurableQueues() = default;

Awaitable<void> DurableQueues::Stop() {
  if (std::exchange(stopping_, true)) co_return;
  for (const auto& [name, queue] : queues_) {
    for (Timer* receiver : queue->receivers) receiver->cancel();
  }
  tasks_.Cancel();
  co_await tasks_.Join();
  co_await commits_.Stop();
}

QueueState& DurableQueues::StateOf(const std::string& queue) {
  auto& state = queues_[queue];
  if (!state) state = std::make_unique<QueueState>(executor_, queue);
  return *state;
}

Awaitable<absl::Status> DurableQueues::Commit(CommitThread::Work work, size_t bytes,
                                              CommitThread::Done done) {
  // Shared: what was begun is done although this coroutine is cancelled.
  const auto outcome = std::make_shared<OneShot<absl::Status>>(executor_);
  commits_.Submit(std::move(work), bytes, [outcome, done = std::move(done)](const absl::Status& status) {
    done(status);
    outcome->Set(status);
  });
  auto status = co_await outcome->Wait(TimePoint::max());
  if (!status) co_return MakeFault(Fault::kCancelled, "the caller went away");
  co_return *std::move(status);
}

// ---- send ----

absl::Status DurableQueues::CheckMessage(const Outgoing& outgoing) const {
  RETURN_IF_ERROR(CheckBody("message", outgoing.message.body.size(), options_.max_body));
  if (outgoing.delay.count() < 0 || outgoing.expiry.count() < 0 || outgoing.max_deliveries < 0) {
    return MakeFault(Fault::kInvalidRequest, "a message's delay, expiry and deliveries can't be negative");
  }
  if (!outgoing.dead_letter.empty()) return CheckChannel(outgoing.dead_letter);
  return absl::OkStatus();
}

absl::Status DurableQueues::CheckRoom(size_t bytes) const {
  if (bytes_ + bytes > options_.max_bytes) {
    return MakeFault(Fault::kOverloaded,
                     fmt::format("the queues hold {} bytes and may hold {}: take messages off them, or raise "
                                 "limits.queue_bytes",
                                 bytes_, options_.max_bytes));
  }
  if (commits_.waiting_bytes() + bytes <= kMostUncommitted || commits_.waiting_bytes() == 0)
    return absl::OkStatus();
  return MakeFault(Fault::kOverloaded, "the disk does not keep up with what is sent: send again later",
                   Milliseconds(1'000));
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> DurableQueues::Send(std::string queue,
                                                                       std::vector<Outgoing> messages) {
  if (stopping_) co_return Stopping();
  CO_RETURN_IF_ERROR(CheckChannel(queue));
  if (queues_.size() >= kMostQueues && !queues_.contains(queue)) {
    co_return MakeFault(Fault::kOverloaded, "there are too many queues: use fewer names");
  }
  const auto sending = std::make_shared<Sending>();
  std::vector<SendResult> results(messages.size());
  const int64_t now = UnixNanos();
  for (size_t i = 0; i < messages.size(); ++i) {
    Outgoing& outgoing = messages[i];
    SendResult& result = results[i];
    if (outgoing.message.id.empty()) outgoing.message.id = NewId();
    result.id = outgoing.message.id;
    result.status = CheckMessage(outgoing);
    if (!result.status.ok()) continue;
    result.sent_at = now;
    Sending::One& one = sending->messages.emplace_back();
    one.result = i;
    if (outgoing.delay.count() > 0) one.due = result.delayed_to = After(now, outgoing.delay);
    if (outgoing.expiry.count() > 0)
      one.expires = result.expires_at = After(now, outgoing.delay + outgoing.expiry);
    auto kept = std::make_shared<KeptMessage>();
    kept->message = std::move(outgoing.message);
    kept->message.channel = queue;
    kept->sent_at = now;
    kept->max_deliveries = outgoing.max_deliveries;
    kept->dead_letter = std::move(outgoing.dead_letter);
    one.record = Encode(*kept);
    sending->bytes += one.record.size() + kOverhead;
    one.kept = std::move(kept);
  }
  if (sending->messages.empty()) co_return results;
  CO_RETURN_IF_ERROR(CheckRoom(sending->bytes));
  sending->queue = std::move(queue);
  CO_RETURN_IF_ERROR(co_await Commit(
      [file = file_.get(), sending] {
        const int64_t id = file->QueueId(sending->queue);
        for (Sending::One& one : sending->messages) {
          if (one.due > 0) {
            file->AddDelayed(id, one.record, one.due, one.expires, 0);
          } else {
            one.place = file->Add(id, one.record, one.expires, 0);
          }
        }
        return absl::OkStatus();
      },
      sending->bytes,
      [this, sending](const absl::Status& status) {
        if (status.ok()) Sent(*sending);
      }));
  co_return results;
}

void DurableQueues::Sent(Sending& sending) {
  QueueState& queue = StateOf(sending.queue);
  bytes_ += sending.bytes;
  for (Sending::One& one : sending.messages) {
    if (one.due > 0) {
      ++queue.delayed;
      Expect(one.due);
    } else {
      Append(queue, QueueItem(one.place, std::move(one.kept), one.record.size()));
    }
  }
}

void DurableQueues::Expect(int64_t due) {
  if (next_due_ != 0 && next_due_ <= due) return;
  next_due_ = due;
  due_.cancel();
}

// Messages come here in the order of their ids.
void DurableQueues::Append(QueueState& queue, QueueItem item) {
  ++queue.waiting;
  const bool fits = queue.window.size() < kWindow && queue.window_bytes + item.bytes < kWindowBytes;
  if (queue.more_on_disk || !fits) {
    queue.more_on_disk = true;
  } else {
    queue.loaded_to = item.place.id;
    queue.Insert(std::move(item));
  }
  WakeReceiver(queue);
}

void DurableQueues::WakeReceiver(QueueState& queue) {
  if (!queue.receivers.empty()) queue.receivers.front()->cancel();
}

// ---- receive ----

Awaitable<absl::StatusOr<std::vector<Delivery>>> DurableQueues::Receive(std::string name,
                                                                        ReceiveOptions options) {
  if (stopping_) co_return Stopping();
  CO_RETURN_IF_ERROR(CheckChannel(name));
  if (queues_.size() >= kMostQueues && !queues_.contains(name)) {
    co_return MakeFault(Fault::kOverloaded, "there are too many queues: use fewer names");
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
    CO_RETURN_IF_ERROR(co_await Commit(
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
      Discard(item);
    } else {
      deliveries.push_back(LeaseOut(queue, std::move(item)));
    }
  }
}

Delivery DurableQueues::LeaseOut(QueueState& queue, QueueItem item) {
  Delivery delivery;
  delivery.message = item.kept->message;
  delivery.deliveries = item.place.deliveries + 1;
  delivery.attributes.sequence = item.place.sequence;
  delivery.attributes.sent_at = item.kept->sent_at;
  delivery.attributes.expires_at = item.place.expires;
  delivery.attributes.rerouted_from = item.kept->rerouted_from;
  delivery.attributes.max_deliveries = item.kept->max_deliveries;
  delivery.attributes.dead_letter = item.kept->dead_letter;
  const uint64_t lease = next_lease_++;
  delivery.receipt.token = std::to_string(lease);
  ++queue.leased;
  leased_bytes_ += item.bytes;
  leases_.emplace(lease, Lease{&queue, std::move(item)});
  return delivery;
}

// Gone for good, as soon as the disk gets round to it.
void DurableQueues::Discard(const QueueItem& item) {
  bytes_ -= item.bytes + kOverhead;
  commits_.Submit(
      [file = file_.get(), id = item.place.id] {
        file->Erase(id);
        return absl::OkStatus();
      },
      0, [](const absl::Status&) {});
}

// ---- settle ----

absl::StatusOr<std::vector<uint64_t>> DurableQueues::LeasesOf(const std::vector<Receipt>& receipts) const {
  std::vector<uint64_t> leases;
  for (const Receipt& receipt : receipts) {
    const auto lease = ParseNumber<uint64_t>(receipt.token);
    if (!lease || !leases_.contains(*lease) ||
        std::find(leases.begin(), leases.end(), *lease) != leases.end()) {
      return MakeFault(Fault::kInvalidRequest,
                       "a receipt names no message that is leased: it was settled already");
    }
    leases.push_back(*lease);
  }
  return leases;
}

Awaitable<absl::Status> DurableQueues::Settle(std::vector<Receipt> receipts, Settlement settlement) {
  if (stopping_) co_return Stopping();
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
  leased_bytes_ -= ended.item.bytes;
  return ended;
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
  co_return co_await Commit(
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
          bytes_ -= ended.item.bytes + kOverhead;
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
  co_return co_await Commit(
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
    bytes_ -= ended.item.bytes + kOverhead;
    if (one.dead) ++ended.queue->dead;
    if (one.to.empty()) continue;
    bytes_ += one.record.size() + kOverhead;
    QueueState& to = StateOf(one.to);
    if (one.due > 0) {
      ++to.delayed;
      Expect(one.due);
    } else {
      Append(to, QueueItem(one.place, std::move(one.kept), one.record.size()));
    }
  }
}

// ---- time passes ----

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
  co_return co_await Commit(work, 0, [this, outcome](const absl::Status& status) {
    if (!status.ok()) return;
    next_due_ = outcome->next_due;
    for (QueueFile::Released& released : outcome->released) {
      QueueState& queue = StateOf(released.queue);
      --queue.delayed;
      auto kept = Decode(released.stored.record, queue.name);
      if (!kept.ok()) continue;  // of a later version: on disk it stays
      Append(queue, QueueItem(released.stored.place, std::make_shared<KeptMessage>(*std::move(kept)),
                              released.stored.record.size()));
    }
  });
}

Awaitable<void> DurableQueues::DropExpired() {
  while (co_await Sleep(Now() + kSweep)) {
    const auto expired = std::make_shared<std::vector<QueueFile::Expired>>();
    const auto work = [file = file_.get(), expired] {
      *expired = file->EraseExpired(UnixNanos(), kMovedAtOnce);
      return absl::OkStatus();
    };
    (void)co_await Commit(work, 0, [this, expired](const absl::Status& status) {
      if (status.ok()) Expired(*expired);
    });
  }
}

void DurableQueues::Expired(const std::vector<QueueFile::Expired>& expired) {
  absl::flat_hash_set<int64_t> leased;
  for (const auto& [lease, of] : leases_) leased.insert(of.item.place.id);
  for (const QueueFile::Expired& one : expired) {
    if (leased.contains(one.id)) continue;  // counted until it is settled
    QueueState& queue = StateOf(one.queue);
    --queue.waiting;
    bytes_ -= one.bytes + kOverhead;
    queue.Remove(one.id);
  }
}

Awaitable<absl::StatusOr<QueueInfo>> DurableQueues::Info(std::string name) {
  if (stopping_) co_return Stopping();
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

}  // namespace llm_router
