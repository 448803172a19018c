// DoorMetrics: what went through the doors of a gateway, as they count it themselves.
//
// Owned by Metrics. Look on the loop thread, where the doors count; Collect on any.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace llm_router {

// One door's, since it opened, but for the last two: those are of now.
struct DoorFigures {
  DoorFigures() = default;

  std::string door;  // grpc, rest, http
  uint64_t answered = 0;
  uint64_t failed = 0;  // a reply that says why
  uint64_t timeouts = 0;
  uint64_t cancelled = 0;  // the caller went away
  uint64_t events_dropped = 0;
  int64_t in_flight = 0;
  int64_t subscriptions = 0;
};

class DoorMetrics {
 public:
  // Called by Look, for as long as this lives.
  void SetSource(std::function<std::vector<DoorFigures>()> source) { source_ = std::move(source); }

  // Asks the doors.
  void Look();
  // Adds what they said to `families`.
  void Collect(std::vector<prometheus::MetricFamily>& families) const;

 private:
  std::function<std::vector<DoorFigures>()> source_;
  mutable std::mutex mutex_;
  std::vector<DoorFigures> seen_;
};

}  // namespace llm_router
