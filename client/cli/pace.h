// Pace: how fast many things get done, and when the last will be. Pure; one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "broker_adapters/base/clock.h"

namespace llm_router::cli {

class Pace {
 public:
  // So many were done at `now`.
  void Add(TimePoint now, size_t done);

  // Done per second over the last half minute; nothing while that can't be told.
  std::optional<double> rate() const;
  // "12.5/s, 8 s left"; empty while it can't be told.
  std::string Words(size_t total) const;

 private:
  struct Mark {
    TimePoint at;
    size_t done;
  };
  std::deque<Mark> marks_;  // the first is half a minute old at least, where there is one so old
};

// "8 s", "3 min 20 s", "2 h 5 min"
std::string Lasting(std::chrono::seconds time);

}  // namespace llm_router::cli
