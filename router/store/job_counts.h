// How many jobs there are of each sort; a change of them has negative numbers too. A value.
#pragma once

#include <cstdint>

namespace llm_router {

struct JobCounts {
  int64_t unfed = 0;
  int64_t fed = 0;  // in the queue or at a worker
  int64_t running = 0;
  int64_t completed = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;

  bool operator==(const JobCounts&) const = default;
  JobCounts operator-(const JobCounts& other) const {
    return {unfed - other.unfed,         fed - other.fed,       running - other.running,
            completed - other.completed, failed - other.failed, cancelled - other.cancelled};
  }
};

}  // namespace llm_router
