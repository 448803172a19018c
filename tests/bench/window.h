// Window: when the work of a closed loop counts, which is after its warm-up and until its end.
//
// A value; any thread.
#pragma once

#include <chrono>
#include <vector>

#include "broker_adapters/base/clock.h"
#include "tests/bench/load_report.h"

namespace llm_router::bench {

class Window {
 public:
  // The warm-up begins now.
  explicit Window(const Plan& plan)
      : begin_(Now() + Seconds(plan.warmup)), end_(begin_ + Seconds(plan.seconds)) {}

  // Whether to begin anything more, in the warm-up too.
  bool is_open() const { return Now() < end_; }

  // Notes how long it took what began at `start` and ended now, `times` over, if all of it counts.
  void Count(TimePoint start, std::vector<double>& micros, size_t times = 1) const {
    const TimePoint now = Now();
    if (start < begin_ || now > end_) return;
    micros.insert(micros.end(), times, std::chrono::duration<double, std::micro>(now - start).count());
  }

 private:
  static TimePoint::duration Seconds(double count) {
    return std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(count));
  }

  TimePoint begin_, end_;
};

}  // namespace llm_router::bench
