// JobTaker: receives the jobs of one route while this worker has room for them, and has each run.
//
// One Receive at a time, for no more than may start: slots that are free, less than its share of finished
// jobs still being kept, the providers' gate open, a jobs service that answers. What came too late for that
// is released at once. Owned by the worker. Loop thread only; `co_await StopTaking()`, then `co_await Join()`
// before destruction.
#pragma once

#include <string>
#include <vector>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/worker/job_runner.h"

namespace llm_router {

class JobTaker {
 public:
  // All outlive it. `slots` tells it of room.
  JobTaker(Executor executor, Broker& broker, JournalClient& journal, Runs& runs, const Route& route,
           Slots& slots, JobRunnerOptions options);

  void Start();
  // The journal may say more.
  void Wake() { wake_.cancel(); }

  // Takes no more; what runs goes on.
  Awaitable<void> StopTaking();
  // Returns when everything taken is settled.
  Awaitable<void> Join() { return jobs_.Join(); }

 private:
  Awaitable<void> TakeJobs();
  Awaitable<size_t> WaitForRoom();
  size_t Room();
  Awaitable<void> StartAll(std::vector<Delivery> deliveries);
  Awaitable<void> RunOne(Delivery delivery, Slots::Slot slot, ProviderGate::Pass pass);

  Broker& broker_;
  JournalClient& journal_;
  Slots& slots_;
  const std::string queue_;
  JobRunner runner_;
  size_t active_ = 0;  // taken and not settled
  LogLimit failures_;
  Timer wake_;  // cancelled when there may be room
  TaskGroup taking_;
  TaskGroup jobs_;
};

}  // namespace llm_router
