#include "router/telemetry/door_metrics.h"

#include <utility>

#include "router/telemetry/family_builder.h"

namespace llm_router {

void DoorMetrics::Look() {
  if (!source_) return;
  std::vector<DoorFigures> seen = source_();
  const std::lock_guard lock(mutex_);
  seen_ = std::move(seen);
}

void DoorMetrics::Collect(std::vector<prometheus::MetricFamily>& families) const {
  using prometheus::MetricType;
  FamilyBuilder requests(MetricType::Counter, "llm_router_door_requests_total",
                         "Queries and commands that came by a door and ended", {"door", "outcome"});
  FamilyBuilder in_flight(MetricType::Gauge, "llm_router_door_requests_in_flight",
                          "Queries and commands that came by a door, now", {"door"});
  FamilyBuilder subscriptions(MetricType::Gauge, "llm_router_door_subscriptions",
                              "Subscriptions and WebSockets of a door, now", {"door"});
  FamilyBuilder dropped(MetricType::Counter, "llm_router_door_events_dropped_total",
                        "Events that a subscriber was too slow to take", {"door"});
  const std::lock_guard lock(mutex_);
  if (seen_.empty()) return;
  for (const DoorFigures& door : seen_) {
    requests.At({door.door, "answered"}) = static_cast<double>(door.answered);
    requests.At({door.door, "failed"}) = static_cast<double>(door.failed);
    requests.At({door.door, "timeout"}) = static_cast<double>(door.timeouts);
    requests.At({door.door, "cancelled"}) = static_cast<double>(door.cancelled);
    in_flight.At({door.door}) = static_cast<double>(door.in_flight);
    subscriptions.At({door.door}) = static_cast<double>(door.subscriptions);
    dropped.At({door.door}) = static_cast<double>(door.events_dropped);
  }
  for (FamilyBuilder* family : {&requests, &in_flight, &subscriptions, &dropped})
    families.push_back(std::move(*family).Take());
}

}  // namespace llm_router
