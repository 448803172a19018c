// JobsOptions: what the jobs service is told. A value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker_adapters/base/clock.h"
#include "proto/contract.h"
#include "router/store/store.h"

namespace llm_router {

// What waits for a route's workers: not yet in its queue, waiting there, or delayed.
struct QueueFigures {
  QueueFigures() = default;

  std::string route;
  int64_t depth = 0;
  Milliseconds oldest{0};  // how long the one that waits longest has; 0: none waits
};
struct JobsFigures {
  JobsFigures() = default;

  std::vector<RouteCount> jobs;
  std::vector<QueueFigures> queues;
  std::vector<OpenBatches> batches;
};

struct JobsOptions {
  JobsOptions() = default;

  std::string name;  // unique, in heartbeats; not that of a worker
  // Routes that may be asked although no worker was heard yet.
  std::vector<contract::RouteModels> routes;
  JobPolicies policies;
  std::map<std::string, int64_t, std::less<>> job_concurrency;  // by route; 0 or none: no bound
  Milliseconds keep_results = std::chrono::hours(168);
  bool may_have_rivals = false;  // others can serve llm_jobs on this broker

  Milliseconds grace{10'000};  // for workers to be heard, before their runs are dead
  Milliseconds sweep_every{1'000};
  Milliseconds reconcile_every{5'000};
  Milliseconds measure_every{5'000};
  std::function<int64_t()> unix_ms = UnixMillis;
  std::function<void(const JobsFigures&)> measured;  // every measure_every, for metrics; null: nobody asks
};

}  // namespace llm_router
