// TaskGroup: the coroutines that one owner started, so that it can cancel them and wait for their end.
//
// Every background coroutine of ours belongs to one. All calls on the loop thread. The owner ends it with
// `Cancel()` and `co_await Join()` before it is destroyed; destroying one that still runs something is a
// fault of ours and ends the process.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class TaskGroup {
 public:
  using TaskId = uint64_t;

  explicit TaskGroup(Executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `body` on the loop, at the earliest after the caller returned to it. In a group that was cancelled
  // it starts as a cancelled coroutine. An exception that leaves `body` is logged and ends that task only.
  TaskId Spawn(Awaitable<void> body);
  // The same, but `body` runs up to its first wait, or its end, before this returns: no turn of the loop is
  // lost, and the caller must be ready for whatever `body` does. In a group that was cancelled as Spawn.
  TaskId Start(Awaitable<void> body);

  // Asks one task, or all, to end. Unknown ids (tasks that ended) are ignored.
  void Cancel(TaskId id);
  void Cancel();

  // Returns when no task is left. Does not cancel.
  Awaitable<void> Join();

  size_t size() const { return tasks_.size(); }
  Executor executor() const { return executor_; }

 private:
  TaskId Launch(Awaitable<void> body, bool at_once);
  void Finish(TaskId id);

  Executor executor_;
  absl::flat_hash_map<TaskId, std::unique_ptr<boost::asio::cancellation_signal>> tasks_;
  TaskId next_ = 1;
  bool cancelled_ = false;
  Timer idle_;
};

}  // namespace llm_router
