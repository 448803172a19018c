// CommitThread: the one thread that uses an SQLite file. It commits whatever waits, and says so when the disk
// has it.
//
// Works are done in the order they were given, many in one transaction: up to 4,096 or 4 MB of them, without
// a timer. Owned by the store it writes for. Submit and Stop on the loop thread; works run on the thread of
// its own. `co_await Stop()` before destruction: it does what waits, then ends.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class CommitThread {
 public:
  // May be done again when another of its transaction failed. When it throws SQLite::Exception all of them
  // fail, but where the file is damaged it alone; when it returns a failure, it alone, and what it did is
  // taken back. Must not refer to what may end before it ran.
  using Work = std::function<absl::Status()>;
  using Done = std::function<void(const absl::Status&)>;

  // What is called on the thread, where it is set.
  struct Hooks {
    Hooks() = default;

    std::function<void()> before_commit;  // the last of each transaction; may throw SQLite::Exception
    std::function<void()> committed;
    std::function<void()> rolled_back;  // a transaction was taken back
    std::function<void()> damaged;      // the file contradicts itself
  };
  CommitThread(Executor executor, std::unique_ptr<SQLite::Database> database, Hooks hooks);
  CommitThread(Executor executor, std::unique_ptr<SQLite::Database> database,
               std::function<void()> rolled_back);
  ~CommitThread();

  SQLite::Database& database() { return *database_; }

  // Calls `done` on the loop when `work` is on disk, or failed. `bytes`: about what it writes.
  void Submit(Work work, size_t bytes, Done done);
  // The same for a coroutine: returns the outcome, after `done`. Cancelled: returns at once, and the work is
  // done all the same.
  Awaitable<absl::Status> Commit(Work work, size_t bytes, Done done);
  // Bytes of works not yet done.
  size_t waiting_bytes() const;

  Awaitable<void> Stop();

 private:
  struct Job {
    Work work;
    size_t bytes;
    Done done;
    absl::Status status;
  };
  using Batch = std::vector<Job>;

  void RunThread();
  Batch TakeBatch();
  // Does those without a failure so far in one transaction. False when one failed and the rest is to be tried
  // again.
  bool Attempt(Batch& batch);
  absl::Status DoAll(Batch& batch, bool& again);
  absl::Status Finish();
  void Fail(Batch& batch, const absl::Status& failure);
  void Tell(Batch batch);

  Executor executor_;
  std::unique_ptr<SQLite::Database> database_;
  const Hooks hooks_;
  SQLite::Statement begin_;
  SQLite::Statement commit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace llm_router
