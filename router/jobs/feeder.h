// Feeder: keeps a window of each route's jobs in its queue, <route>_jobs.
//
// As many as twice what the living workers can have at work, so that none waits for the store; the rest stays
// there, where it can be cancelled, counted and put in turn. What was fed and is not in the queue any more is
// fed again. Owned by the jobs service; loop thread. `co_await Stop()` before destruction.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/roster/roster.h"
#include "router/store/store.h"

namespace llm_router {

class Feeder {
 public:
  // All outlive it.
  Feeder(Executor executor, Broker& broker, Store& store, const Roster& roster, const JobsOptions& options);

  void Start() { tasks_.Spawn(Run()); }
  void Wake() { waker_.Wake(); }
  Awaitable<void> Stop();

  // Whether the store has or had jobs of it.
  bool Knows(std::string_view route) const { return known_.contains(route); }

 private:
  struct Turn {
    int64_t last_lane = 0;
    int64_t singles_in_a_row = 0;
  };

  Awaitable<void> Run();
  Awaitable<absl::Status> FeedAll();
  Awaitable<absl::Status> FeedRoute(const RouteCount& count);
  Awaitable<absl::Status> Feed(std::string route, std::vector<FeedJob> jobs);
  Awaitable<absl::Status> Reconcile(std::string route);
  int64_t WindowOf(const std::string& route) const;

  Broker& broker_;
  Store& store_;
  const Roster& roster_;
  const JobsOptions& options_;
  TaskGroup tasks_;
  Waker waker_;
  std::map<std::string, Turn, std::less<>> turns_;  // by route
  std::set<std::string, std::less<>> known_;
  TimePoint reconciled_{};
  LogLimit log_limit_;
};

}  // namespace llm_router
