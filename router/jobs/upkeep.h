// Upkeep: what time does to jobs: runs die, deadlines pass, batches expire or end after a cancel, old results
// go.
//
// Owned by the jobs service; loop thread. `co_await Stop()` before destruction.
#pragma once

#include <functional>

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/jobs/run_life.h"
#include "router/store/store.h"

namespace llm_router {

class Upkeep {
 public:
  // `changed`: something may be fed or sent now. All outlive it.
  Upkeep(Executor executor, Broker& broker, Store& store, RunLife& life, const JobsOptions& options,
         std::function<void()> changed)
      : broker_(broker),
        store_(store),
        life_(life),
        options_(options),
        changed_(std::move(changed)),
        tasks_(executor),
        waker_(executor) {}

  void Start() { tasks_.Spawn(Run()); }
  // A batch is to end.
  void Wake() { waker_.Wake(); }
  Awaitable<void> Stop();

 private:
  Awaitable<void> Run();
  Awaitable<absl::Status> Sweep();
  Awaitable<absl::Status> SweepDeadRuns();
  Awaitable<absl::Status> EndLines();
  Awaitable<absl::Status> Prune();

  Broker& broker_;
  Store& store_;
  RunLife& life_;
  const JobsOptions& options_;
  const std::function<void()> changed_;
  TaskGroup tasks_;
  Waker waker_;
  LogLimit log_limit_;
};

}  // namespace llm_router
