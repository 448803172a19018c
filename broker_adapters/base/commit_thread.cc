#include "broker_adapters/base/commit_thread.h"

#include <SQLiteCpp/Exception.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/base/test_switch.h"

namespace llm_router {
namespace {

constexpr size_t kMostWorks = 4'096;
constexpr size_t kMostBytes = size_t{4} * 1024 * 1024;

CommitThread::Hooks OnlyRolledBack(std::function<void()> rolled_back) {
  CommitThread::Hooks hooks;
  hooks.rolled_back = std::move(rolled_back);
  return hooks;
}

}  // namespace

CommitThread::CommitThread(Executor executor, std::unique_ptr<SQLite::Database> database, Hooks hooks)
    : executor_(executor),
      database_(std::move(database)),
      hooks_(std::move(hooks)),
      begin_(*database_, "BEGIN IMMEDIATE"),
      commit_(*database_, "COMMIT"),
      thread_([this] { RunThread(); }) {}

CommitThread::CommitThread(Executor executor, std::unique_ptr<SQLite::Database> database,
                           std::function<void()> rolled_back)
    : CommitThread(executor, std::move(database), OnlyRolledBack(std::move(rolled_back))) {}

CommitThread::~CommitThread() {
  if (thread_.joinable()) std::terminate();  // nobody stopped it
}

void CommitThread::Submit(Work work, size_t bytes, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ += bytes;
    waiting_.push_back({std::move(work), bytes, std::move(done), absl::OkStatus()});
  }
  changed_.notify_one();
}

Awaitable<absl::Status> CommitThread::Commit(Work work, size_t bytes, Done done) {
  // Shared: what was begun is done although this coroutine is cancelled.
  const auto outcome = std::make_shared<OneShot<absl::Status>>(executor_);
  Submit(std::move(work), bytes, [outcome, done = std::move(done)](const absl::Status& status) {
    done(status);
    outcome->Set(status);
  });
  auto status = co_await outcome->Wait(TimePoint::max());
  if (!status) co_return absl::CancelledError("the caller went away");
  co_return *std::move(status);
}

size_t CommitThread::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

Awaitable<void> CommitThread::Stop() {
  Timer done(executor_, TimePoint::max());
  bool is_done = false;
  Submit([] { return absl::OkStatus(); }, 0,
         [&](const absl::Status&) {
           is_done = true;
           done.cancel();
         });
  // Waited for in a cancelled coroutine too: nothing is left half done.
  while (!is_done) (void)co_await done.async_wait(kUseTuple);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

CommitThread::Batch CommitThread::TakeBatch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  Batch batch;
  for (size_t bytes = 0; !waiting_.empty() && batch.size() < kMostWorks && bytes < kMostBytes;) {
    bytes += waiting_.front().bytes;
    waiting_bytes_ -= waiting_.front().bytes;
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void CommitThread::RunThread() {
  for (Batch batch = TakeBatch(); !batch.empty(); batch = TakeBatch()) {
    while (!Attempt(batch)) {
    }
    Tell(std::move(batch));
  }
}

bool CommitThread::Attempt(Batch& batch) {
  bool again = false;
  absl::Status failure = TrySqlite([&] {
    const Use use(begin_);
    begin_.exec();
  });
  if (failure.ok()) failure = DoAll(batch, again);
  if (TestSwitch("answer-before-commit") && failure.ok() && !again) {
    Tell(std::exchange(batch, {}));
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  if (failure.ok() && !again) failure = Finish();
  if (failure.ok() && !again) {
    if (hooks_.committed) hooks_.committed();
    return true;
  }
  // After some failures SQLite has rolled back by itself.
  (void)TrySqlite([&] { database_->exec("ROLLBACK"); });
  if (hooks_.rolled_back) (void)TrySqlite(hooks_.rolled_back);
  if (!failure.ok()) Fail(batch, failure);
  return !again;
}

absl::Status CommitThread::Finish() {
  return TrySqlite([&] {
    if (hooks_.before_commit) hooks_.before_commit();
    const Use use(commit_);
    commit_.exec();
  });
}

void CommitThread::Fail(Batch& batch, const absl::Status& failure) {
  for (Job& job : batch) {
    if (job.status.ok()) job.status = failure;
  }
  if (hooks_.damaged && IsSqliteDamage(failure)) hooks_.damaged();
}

absl::Status CommitThread::DoAll(Batch& batch, bool& again) {
  for (Job& job : batch) {
    if (!job.status.ok()) continue;
    const int changes = database_->getTotalChanges();
    absl::Status failure = TrySqlite([&] { job.status = job.work(); });
    if (!failure.ok() && !IsSqliteDamage(failure)) return failure;
    // What is damaged concerns who came across it, not those it was to be written with.
    if (!failure.ok()) {
      job.status = std::move(failure);
      if (hooks_.damaged) hooks_.damaged();
    } else if (job.status.ok() || database_->getTotalChanges() == changes) {
      continue;
    }
    again = true;
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

void CommitThread::Tell(Batch batch) {
  boost::asio::post(executor_, [jobs = std::move(batch)] {
    for (const Job& job : jobs) job.done(job.status);
  });
}

}  // namespace llm_router
