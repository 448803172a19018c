#include "client/pause.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "client/cancel_watch.h"

namespace llm_router::client {

Milliseconds Backoff::Next() {
  constexpr Milliseconds kMost{2'000};
  return std::exchange(next_, std::min(kMost, next_ * 3 / 2));
}

TimePoint EndOf(std::optional<Milliseconds> timeout) {
  constexpr std::chrono::hours kEver{24 * 365};  // beyond it a clock's end would come near
  return timeout && *timeout < kEver ? Now() + *timeout : TimePoint::max();
}

bool PauseUntil(TimePoint when, const Canceller& canceller) {
  std::mutex mutex;
  std::condition_variable news;
  bool cancelled = false;
  const CancelWatch watch(canceller, [&] {
    const std::lock_guard lock(mutex);
    cancelled = true;
    news.notify_one();
  });
  std::unique_lock lock(mutex);
  return !news.wait_until(lock, when, [&] { return cancelled; });
}

}  // namespace llm_router::client
