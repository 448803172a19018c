// Waker: lets a coroutine that looks now and then look at once. Loop thread; one waits at a time.
#pragma once

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class Waker {
 public:
  explicit Waker(Executor executor) : timer_(executor) {}

  void Wake() {
    woken_ = true;
    timer_.cancel();
  }

  // Until `when`, or sooner when woken, also before this was called. False when cancelled.
  Awaitable<bool> Wait(TimePoint when) {
    if (!woken_ && !co_await Cancelled()) {
      timer_.expires_at(when);
      (void)co_await timer_.async_wait(kUseTuple);
    }
    woken_ = false;
    co_return !co_await Cancelled();
  }

 private:
  Timer timer_;
  bool woken_ = false;
};

}  // namespace llm_router
