// Signal: wakes all who wait for something to change. Loop thread.
#pragma once

#include <set>

#include "broker_adapters/base/awaitable.h"

namespace llm_router::test {

// Long enough for any engine on a busy machine; only a failing case waits it out.
inline constexpr std::chrono::seconds kPatience(30);

class Signal {
 public:
  explicit Signal(Executor executor) : executor_(executor) {}

  void Notify() {
    for (Timer* waiter : waiters_) waiter->cancel();
  }

  // Waits until `condition` holds, looking again at each Notify. False when `patience` ran out or the
  // coroutine was cancelled first.
  template <class Condition>
  Awaitable<bool> Until(Condition condition, Milliseconds patience = kPatience) {
    Timer timer(executor_, Now() + patience);
    waiters_.insert(&timer);
    bool expired = false;
    while (!condition() && !expired && !co_await Cancelled()) {
      const auto [error] = co_await timer.async_wait(kUseTuple);
      expired = !error;
    }
    waiters_.erase(&timer);
    co_return condition();
  }

 private:
  const Executor executor_;
  std::set<Timer*> waiters_;
};

}  // namespace llm_router::test
