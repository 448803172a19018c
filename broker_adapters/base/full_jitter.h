// FullJitter: how long to wait before what failed is tried again: a random part of a span that doubles with
// every failure, so that many who failed together do not come back together. A value of one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "broker_adapters/base/clock.h"

namespace llm_router {

// From 0 to `most`, whole milliseconds.
inline Milliseconds RandomUpTo(Milliseconds most) {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return Milliseconds(std::uniform_int_distribution<int64_t>(0, std::max<int64_t>(most.count(), 0))(engine));
}

class FullJitter {
 public:
  FullJitter(Milliseconds first, Milliseconds most) : first_(first), most_(most), span_(first) {}

  Milliseconds Next() {
    const Milliseconds wait = RandomUpTo(span_);
    span_ = std::min(span_ * 2, most_);
    return wait;
  }
  void Reset() { span_ = first_; }

 private:
  Milliseconds first_;
  Milliseconds most_;
  Milliseconds span_;
};

}  // namespace llm_router
