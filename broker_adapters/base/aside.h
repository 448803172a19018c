// Aside: one thread beside the loop, for what would hold the loop up: writing many megabytes of text, say.
//
// Owned by who has such work; its thread starts with the first. Run and Stop on the loop thread. `co_await
// Stop()` before destruction: it waits for the work that is left.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/one_shot.h"

namespace llm_router {

class Aside {
 public:
  explicit Aside(Executor executor) : executor_(executor) {}

  // What `work` returns, which runs on the thread, after all that was given before it. Nothing when the
  // coroutine was cancelled: the work is done all the same, and must not refer to what ends before Stop.
  template <class T>
  Awaitable<std::optional<T>> Run(std::function<T()> work) {
    if (!thread_) thread_ = std::make_unique<boost::asio::thread_pool>(1);
    // Shared: the work may outlast this coroutine.
    auto answer = std::make_shared<OneShot<T>>(executor_);
    boost::asio::post(*thread_, [executor = executor_, answer, work = std::move(work)]() mutable {
      boost::asio::post(executor, [answer = std::move(answer), value = work()]() mutable {
        answer->Set(std::move(value));
      });
    });
    co_return co_await answer->Wait(TimePoint::max());
  }

  Awaitable<void> Stop() {
    if (thread_) (void)co_await Run<bool>([] { return true; });
  }

 private:
  const Executor executor_;
  std::unique_ptr<boost::asio::thread_pool> thread_;
};

}  // namespace llm_router
