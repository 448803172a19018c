// JobMetrics: what the jobs service knows of jobs, queues and batches, as it was last told.
//
// Each telling replaces the one before it, so that what is no more is not shown. Routes and tenants beyond
// the first 1,000 are one, `other`. Owned by Metrics; set on the loop thread, collected on any.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "router/telemetry/label_cap.h"

namespace llm_router {

// Jobs of a route, those of batches included.
struct RouteJobs {
  RouteJobs() = default;

  std::string route;
  int64_t resting = 0;  // not in the route's queue yet
  int64_t fed = 0;      // in it
  int64_t running = 0;
  int64_t completed = 0;  // these three: all so far
  int64_t failed = 0;
  int64_t cancelled = 0;
};

// What waits for a route's workers.
struct RouteBacklog {
  RouteBacklog() = default;

  std::string route;
  int64_t depth = 0;          // jobs
  double oldest_seconds = 0;  // since when the one that waits longest does
};

// Batches of a tenant in one state that is not final, and their lines.
struct BatchFigures {
  BatchFigures() = default;

  std::string tenant;
  std::string state;
  int64_t batches = 0;
  int64_t waiting = 0;  // lines
  int64_t running = 0;
  int64_t completed = 0;
  int64_t failed = 0;
};

class JobMetrics {
 public:
  explicit JobMetrics(size_t most_labels = 1'000) : routes_(most_labels), tenants_(most_labels) {}

  void SetJobs(const std::vector<RouteJobs>& jobs);
  void SetBacklogs(const std::vector<RouteBacklog>& backlogs);
  void SetBatches(const std::vector<BatchFigures>& batches);

  // Adds what there is to `families`.
  void Collect(std::vector<prometheus::MetricFamily>& families) const;

 private:
  LabelCap routes_;
  LabelCap tenants_;
  mutable std::mutex mutex_;  // over what is below
  prometheus::MetricFamily jobs_;
  prometheus::MetricFamily depth_;
  prometheus::MetricFamily oldest_;
  prometheus::MetricFamily batches_;
  prometheus::MetricFamily lines_;
};

}  // namespace llm_router
