// What the parts of DurableQueues share: its bounds, its words, its clock. Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "broker_adapters/base/clock.h"
#include "proto/fault.h"

namespace llm_router {

inline constexpr size_t kWindow = 4'096;  // messages of a queue in memory
inline constexpr size_t kWindowBytes = size_t{8} * 1024 * 1024;
inline constexpr size_t kMostQueues = 100'000;
inline constexpr size_t kMovedAtOnce = 1'000;  // messages whose time has come
inline constexpr size_t kPurgedAtOnce = 4'096;
inline constexpr size_t kOverhead = 256;  // bytes of a message, in memory and on disk, beside its record

inline absl::Status QueuesStopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: send elsewhere or later");
}

inline absl::Status TooManyQueues() {
  return MakeFault(Fault::kOverloaded, "there are too many queues: use fewer names");
}

// Unix ns.
inline int64_t After(int64_t now, Milliseconds wait) {
  return now + std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
}

}  // namespace llm_router
