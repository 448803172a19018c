#include "broker_adapters/embedded/durable_queues.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_repair.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/queue_limits.h"
#include "broker_adapters/embedded/queue_salvage.h"
#include "broker_adapters/embedded/queue_schema.h"
#include "broker_adapters/pattern.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr const char* kFile = "queues.sqlite";
constexpr size_t kMostUncommitted = size_t{256} * 1024 * 1024;

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

absl::StatusOr<std::unique_ptr<DurableQueues>> DurableQueues::Open(Executor executor, QueueOptions options) {
  std::unique_ptr<QueueFile> file;
  RepairableFile opening(QueueModel());
  opening.path = options.folder / kFile;
  opening.vfs = options.vfs;
  opening.salvage = SalvageQueues;
  opening.open = [&file](SQLite::Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(file, QueueFile::Open(database));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(auto database, OpenRepaired(opening));
  return std::unique_ptr<DurableQueues>(
      new DurableQueues(executor, std::move(options), std::move(file), std::move(database)));
}

CommitThread::Hooks DurableQueues::HooksOf(QueueFile& file, const QueueOptions& options) {
  CommitThread::Hooks hooks;
  hooks.before_commit = [&file] { file.BeforeCommit(); };
  hooks.committed = [&file] { file.Committed(); };
  hooks.rolled_back = [&file] { file.RolledBack(); };
  hooks.damaged = [path = options.folder / kFile] { MarkDamaged(path); };
  return hooks;
}

DurableQueues::DurableQueues(Executor executor, QueueOptions options, std::unique_ptr<QueueFile> file,
                             std::unique_ptr<SQLite::Database> database)
    : executor_(executor),
      options_(std::move(options)),
      commits_(executor, std::move(database), HooksOf(*file, options_)),
      file_(std::move(file)),
      tasks_(executor),
      due_(executor, TimePoint::max()) {
  for (const QueueCount& count : file_->counts()) {
    QueueState& queue = StateOf(count.name);
    queue.waiting = count.messages;
    queue.more_on_disk = count.messages > 0;
    queue.delayed = count.delayed;
    queue.dead = count.dead;
    queue.last_sequence = count.last_sequence;
    Grow(queue, count.bytes + (count.messages + count.delayed) * kOverhead);
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

bool DurableQueues::IsRoomFor(const std::string& queue) const {
  return queues_.size() < kMostQueues || queues_.contains(queue);
}

QueueState& DurableQueues::StateOf(const std::string& queue) {
  auto& state = queues_[queue];
  if (!state) state = std::make_unique<QueueState>(executor_, queue);
  return *state;
}

absl::Status DurableQueues::CheckMessage(const Outgoing& outgoing) const {
  RETURN_IF_ERROR(CheckBody("message", outgoing.message.body.size(), options_.max_body));
  if (outgoing.delay.count() < 0 || outgoing.expiry.count() < 0 || outgoing.max_deliveries < 0) {
    return MakeFault(Fault::kInvalidRequest, "a message's delay, expiry and deliveries can't be negative");
  }
  if (outgoing.dead_letter.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckChannel(outgoing.dead_letter));
  return IsRoomFor(outgoing.dead_letter) ? absl::OkStatus() : TooManyQueues();
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
  if (stopping_) co_return QueuesStopping();
  CO_RETURN_IF_ERROR(CheckChannel(queue));
  if (!IsRoomFor(queue)) co_return TooManyQueues();
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
    // Room for it now, for a nack must not fail.
    if (!kept->dead_letter.empty()) (void)StateOf(kept->dead_letter);
    one.record = Encode(*kept);
    sending->bytes += one.record.size() + kOverhead;
    one.kept = std::move(kept);
  }
  if (sending->messages.empty()) co_return results;
  CO_RETURN_IF_ERROR(CheckRoom(sending->bytes));
  sending->queue = std::move(queue);
  CO_RETURN_IF_ERROR(co_await commits_.Commit(
      [file = file_.get(), sending] {
        RETURN_IF_ERROR(file->CheckRoom(sending->bytes));
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
  Grow(queue, sending.bytes);
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
  queue.last_sequence = item.place.sequence;
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

void DurableQueues::Grow(QueueState& queue, uint64_t bytes) {
  queue.bytes += bytes;
  bytes_ += bytes;
}

// Never below nothing: sizes that a damaged file told may be wrong.
void DurableQueues::Shrink(QueueState& queue, uint64_t bytes) {
  bytes = std::min(bytes, queue.bytes);
  queue.bytes -= bytes;
  bytes_ -= bytes;
}

void DurableQueues::Gone(QueueState& queue, uint64_t messages, uint64_t bytes) {
  queue.waiting -= std::min(messages, queue.waiting);
  Shrink(queue, bytes + messages * kOverhead);
}

}  // namespace llm_router
