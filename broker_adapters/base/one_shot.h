// OneShot<T>: a value set once, on the loop, and awaited by one coroutine until a deadline.
//
// The bridge between callbacks and straight-line code. Lives on the loop thread; a callback thread posts to
// the loop and sets it there. Whoever awaits owns it; whoever sets holds a reference that its owner takes
// back in time.
#pragma once

#include <optional>
#include <utility>

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

template <class T>
class OneShot {
 public:
  explicit OneShot(Executor executor) : timer_(executor, TimePoint::max()) {}
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  // The first value wins; later ones are dropped. Returns whether this one was taken.
  bool Set(T value) {
    if (is_set_) return false;
    is_set_ = true;
    value_.emplace(std::move(value));
    timer_.cancel();
    return true;
  }

  bool is_set() const { return is_set_; }

  // The value, or nothing when the deadline passed or the coroutine was cancelled first.
  Awaitable<std::optional<T>> Wait(TimePoint deadline) {
    if (!is_set_ && !co_await Cancelled()) {
      timer_.expires_at(deadline);
      (void)co_await timer_.async_wait(kUseTuple);
    }
    co_return std::exchange(value_, std::nullopt);
  }

 private:
  Timer timer_;
  bool is_set_ = false;
  std::optional<T> value_;
};

}  // namespace llm_router
