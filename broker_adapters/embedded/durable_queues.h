// DurableQueues: the queues of the embedded broker: kept on disk before Send returns, leased until settled.
//
// Leases live in memory: a process that ends, in whatever way, leaves every message unsettled in its place. A
// nack puts the message, as a new one, at its queue's end (or into `delayed`); one that used up its
// deliveries moves to its dead-letter queue. A lease is its consumer's from the moment Receive returned: one
// that was cancelled took nothing, and who dies afterwards gives back by Settle(release), which never waits
// and never fails for a live lease. A settlement that failed leaves the lease as it was: settle again, or
// release. Memory holds the next messages of each queue, at most 4,096 or 8 MiB; the rest is read from disk
// when its turn comes. Loop thread; `co_await Stop()` before destruction.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/commit_thread.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/embedded/queue_file.h"
#include "broker_adapters/embedded/queue_options.h"
#include "broker_adapters/embedded/queue_state.h"

namespace llm_router {

class DurableQueues final : public QueueAdmin {
 public:
  // Fault storage_failed when the folder can't be used.
  static absl::StatusOr<std::unique_ptr<DurableQueues>> Open(Executor executor, QueueOptions options);
  ~DurableQueues() override;

  // The Broker's verbs.
  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue, std::vector<Outgoing> messages);
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement);
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue);

  Awaitable<absl::StatusOr<std::vector<Delivery>>> Peek(std::string queue, size_t max) override;
  Awaitable<absl::StatusOr<uint64_t>> Purge(std::string queue) override;
  Awaitable<absl::StatusOr<std::vector<QueueTotals>>> Queues() override;

  Awaitable<void> Stop();

 private:
  struct Lease {
    QueueState* queue = nullptr;
    QueueItem item;
  };
  struct Sending;
  struct Moving;

  DurableQueues(Executor executor, QueueOptions options, std::unique_ptr<QueueFile> file,
                std::unique_ptr<SQLite::Database> database);

  static CommitThread::Hooks HooksOf(QueueFile& file, const QueueOptions& options);
  bool IsRoomFor(const std::string& queue) const;
  QueueState& StateOf(const std::string& queue);
  void ForgetIfUnused(QueueState& queue);

  absl::Status CheckMessage(const Outgoing& outgoing) const;
  absl::Status CheckRoom(size_t bytes) const;
  void Sent(Sending& sending);
  void Expect(int64_t due);
  void Append(QueueState& queue, QueueItem item);
  static void WakeReceiver(QueueState& queue);

  Awaitable<absl::StatusOr<std::vector<Delivery>>> ReceiveFrom(QueueState& queue, ReceiveOptions options);
  Awaitable<absl::Status> LoadNext(QueueState& queue, size_t least = 1);
  void Loaded(QueueState& queue, QueueFile::Page& page);
  void Take(QueueState& queue, size_t most, std::vector<Delivery>& deliveries);
  static Delivery DeliveryOf(const QueueItem& item);
  Delivery LeaseOut(QueueState& queue, QueueItem item);
  struct Purging;
  void PurgeMore(QueueState& queue, std::shared_ptr<Purging> purging);
  void Purged(QueueState& queue, Purging& purging, const absl::Status& status);
  void Grow(QueueState& queue, uint64_t bytes);
  void Shrink(QueueState& queue, uint64_t bytes);
  void Gone(QueueState& queue, uint64_t messages, uint64_t bytes);
  void Discard(QueueState& queue, std::vector<QueueItem> items);

  absl::StatusOr<std::vector<uint64_t>> LeasesOf(const std::vector<Receipt>& receipts) const;
  Lease Hold(uint64_t lease);
  Lease EndLease(uint64_t lease);
  void WakeBlocked();
  void Release(const std::vector<uint64_t>& leases);
  Awaitable<absl::Status> Acknowledge(std::vector<uint64_t> leases);
  std::shared_ptr<Moving> MovesOf(const std::vector<uint64_t>& leases, Milliseconds delay);
  static void Move(QueueFile& file, Moving& moving);
  Awaitable<absl::Status> Reject(std::vector<uint64_t> leases, Milliseconds delay);
  void Moved(Moving& moving, bool done);

  Awaitable<void> ReleaseDelayed();
  Awaitable<absl::Status> ReleaseDue();
  Awaitable<void> DropExpired();
  void Expired(const std::vector<QueueFile::Expired>& expired);

  Executor executor_;
  const QueueOptions options_;
  CommitThread commits_;
  std::unique_ptr<QueueFile> file_;  // its thread's
  TaskGroup tasks_;
  std::map<std::string, std::unique_ptr<QueueState>> queues_;
  absl::flat_hash_map<uint64_t, Lease> leases_;
  absl::flat_hash_set<int64_t> leased_ids_;  // of messages; also while they are being settled
  uint64_t next_lease_ = 1;
  size_t leased_bytes_ = 0;
  uint64_t bytes_ = 0;    // of all that is kept
  int64_t next_due_ = 0;  // Unix ns, 0 = nothing is delayed
  Timer due_;             // cancelled when something is due earlier
  bool stopping_ = false;
};

}  // namespace llm_router
