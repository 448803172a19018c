#include "broker_adapters/base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <vector>

#include "broker_adapters/base/log.h"

namespace llm_router {
namespace {

constexpr auto kTerminal = boost::asio::cancellation_type::terminal;

Awaitable<void> Root(Awaitable<void> body, bool at_once) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (!at_once) co_await boost::asio::post(kUseAwaitable);
  co_await std::move(body);
}

void LogEscape(const std::exception_ptr& escaped) {
  if (!escaped) return;
  try {
    std::rethrow_exception(escaped);
  } catch (const std::exception& error) {
    log::Error("a task ended by an exception: {}", error.what());
  }
}

}  // namespace

TaskGroup::TaskGroup(Executor executor) : executor_(executor), idle_(executor, TimePoint::max()) {}

TaskGroup::~TaskGroup() {
  if (tasks_.empty()) return;
  log::Error("a task group was destroyed with {} tasks running", tasks_.size());
  std::terminate();
}

TaskGroup::TaskId TaskGroup::Spawn(Awaitable<void> body) {
  const TaskId id = Launch(std::move(body), /*at_once=*/false);
  if (cancelled_) Cancel(id);
  return id;
}

TaskGroup::TaskId TaskGroup::Start(Awaitable<void> body) {
  return cancelled_ ? Spawn(std::move(body)) : Launch(std::move(body), /*at_once=*/true);
}

TaskGroup::TaskId TaskGroup::Launch(Awaitable<void> body, bool at_once) {
  const TaskId id = next_++;
  auto& signal = tasks_[id] = std::make_unique<boost::asio::cancellation_signal>();
  const auto slot = signal->slot();
  boost::asio::co_spawn(executor_, Root(std::move(body), at_once),
                        boost::asio::bind_cancellation_slot(slot, [this, id](std::exception_ptr escaped) {
                          LogEscape(escaped);
                          Finish(id);
                        }));
  return id;
}

void TaskGroup::Cancel(TaskId id) {
  if (const auto it = tasks_.find(id); it != tasks_.end()) it->second->emit(kTerminal);
}

void TaskGroup::Cancel() {
  cancelled_ = true;
  std::vector<TaskId> ids;
  ids.reserve(tasks_.size());
  for (const auto& [id, signal] : tasks_) ids.push_back(id);
  for (const TaskId id : ids) Cancel(id);
}

Awaitable<void> TaskGroup::Join() {
  while (!tasks_.empty()) (void)co_await idle_.async_wait(kUseTuple);
}

void TaskGroup::Finish(TaskId id) {
  tasks_.erase(id);
  if (tasks_.empty()) idle_.cancel();
}

}  // namespace llm_router
