#include "broker_adapters/base/commit_thread.h"

#include <SQLiteCpp/Exception.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/test_switch.h"

namespace llm_router {
namespace {

constexpr size_t kMostWorks = 4'096;
constexpr size_t kMostBytes = size_t{4} * 1024 * 1024;

}  // namespace

CommitThread::CommitThread(Executor executor, std::unique_ptr<SQLite::Database> database,
                           std::function<void()> rolled_back)
    : executor_(executor),
      database_(std::move(database)),
      rolled_back_(std::move(rolled_back)),
      thread_([this] { RunThread(); }) {}

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
  absl::Status failure = TrySqlite([&] { database_->exec("BEGIN IMMEDIATE"); });
  if (failure.ok()) failure = DoAll(batch, again);
  if (TestSwitch("answer-before-commit") && failure.ok() && !again) {
    Tell(std::exchange(batch, {}));
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  if (failure.ok() && !again) failure = TrySqlite([&] { database_->exec("COMMIT"); });
  // After some failures SQLite has rolled back by itself.
  if (!failure.ok() || again) {
    (void)TrySqlite([&] { database_->exec("ROLLBACK"); });
    (void)TrySqlite(rolled_back_);
  }
  for (Job& job : batch) {
    if (job.status.ok()) job.status = failure;
  }
  return !again;
}

absl::Status CommitThread::DoAll(Batch& batch, bool& again) {
  return TrySqlite([&] {
    for (Job& job : batch) {
      if (!job.status.ok()) continue;
      job.status = job.work();
      if (job.status.ok()) continue;
      again = true;
      return;
    }
  });
}

void CommitThread::Tell(Batch batch) {
  boost::asio::post(executor_, [jobs = std::move(batch)] {
    for (const Job& job : jobs) job.done(job.status);
  });
}

}  // namespace llm_router
