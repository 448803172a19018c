// The two clocks of the product: a steady one for deadlines inside a process, Unix time for what crosses
// processes.
#pragma once

#include <chrono>
#include <cstdint>

namespace llm_router {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

inline TimePoint Now() { return std::chrono::steady_clock::now(); }

inline int64_t UnixNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

inline int64_t UnixMillis() { return UnixNanos() / 1'000'000; }

// Whole milliseconds from now until `when`, rounded up; never below 0.
inline Milliseconds Remaining(TimePoint when) {
  const auto left = std::chrono::ceil<Milliseconds>(when - Now());
  return left > Milliseconds(0) ? left : Milliseconds(0);
}

// A deadline that came as Unix milliseconds, on this process's steady clock; clamped to a day from now, so
// that no value of a stranger's overflows.
inline TimePoint FromUnixMillis(int64_t unix_ms) {
  constexpr int64_t kDay = 24LL * 3600 * 1000;
  const int64_t now = UnixMillis();
  const int64_t left = unix_ms <= now ? 0 : (unix_ms - now > kDay ? kDay : unix_ms - now);
  return Now() + Milliseconds(left);
}

inline int64_t ToUnixMillis(TimePoint when) {
  return UnixMillis() + std::chrono::duration_cast<Milliseconds>(when - Now()).count();
}

}  // namespace llm_router
