// Census: looks now and then at the jobs of each route, what waits for it, and the open batches, for metrics.
//
// Owned by the jobs service; loop thread. Does nothing where nobody wants to know (JobsOptions::measured).
// `co_await Stop()` before destruction.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/roster/roster.h"
#include "router/store/store.h"

namespace llm_router {

class Census {
 public:
  // All outlive it.
  Census(Executor executor, Broker& broker, Store& store, const Roster& roster, const JobsOptions& options)
      : broker_(broker), store_(store), roster_(roster), options_(options), tasks_(executor) {}

  void Start();
  Awaitable<void> Stop();

 private:
  Awaitable<void> Run();
  Awaitable<absl::Status> Measure();
  // Of a route with these jobs in the store, of which the oldest that is queued was made at `created`.
  Awaitable<QueueFigures> Look(RouteCount count, int64_t created);
  std::vector<RouteCount> WithThoseWithoutJobs(std::vector<RouteCount> counts) const;

  Broker& broker_;
  Store& store_;
  const Roster& roster_;
  const JobsOptions& options_;
  TaskGroup tasks_;
  LogLimit log_limit_;
};

}  // namespace llm_router
