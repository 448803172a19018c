// DoorStats: what went through one door since it opened, for the metrics. A value.
#pragma once

#include <cstdint>

namespace llm_router {

struct DoorStats {
  uint64_t requests = 0;   // queries and commands that were valid
  uint64_t executed = 0;   // answered with executed=true, from the cache included
  uint64_t failed = 0;     // answered with executed=false
  uint64_t timeouts = 0;   // Error 301
  uint64_t cancelled = 0;  // the caller went away
  uint64_t cache_hits = 0;
  uint64_t events = 0;            // published
  uint64_t events_delivered = 0;  // handed to subscribers
  uint64_t events_dropped = 0;    // subscribers too slow to take them
  uint64_t stray_answers = 0;     // to queries that nobody waits for
  int64_t in_flight = 0;          // requests, now
  int64_t subscriptions = 0;      // now
};

}  // namespace llm_router
