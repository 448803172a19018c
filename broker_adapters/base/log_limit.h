// LogLimit: keeps what strangers can cause from filling the log: one line a second, which says how many were
// not.
//
//   if (const auto left_out = limit.Admit(Now())) log::Info("refused {} ({} more)", peer, *left_out);
//
// A value of one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "broker_adapters/base/clock.h"

namespace llm_router {

class LogLimit {
 public:
  // Nothing while a line is too soon; else how many have been left out since the last one.
  std::optional<uint64_t> Admit(TimePoint now) {
    if (last_ && now < *last_ + std::chrono::seconds(1)) {
      ++left_out_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(left_out_, 0);
  }

 private:
  std::optional<TimePoint> last_;
  uint64_t left_out_ = 0;
};

}  // namespace llm_router
