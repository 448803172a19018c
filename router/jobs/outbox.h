// Outbox: sends results to the queues that jobs named in `reply-to`. Again and again until the queue has it,
// so a receiver may see one twice: the MessageID is the job's.
//
// Owned by the jobs service; loop thread. `co_await Stop()` before destruction.
#pragma once

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/store/store.h"

namespace llm_router {

class Outbox {
 public:
  // All outlive it.
  Outbox(Executor executor, Broker& broker, Store& store, const JobsOptions& options)
      : broker_(broker), store_(store), options_(options), tasks_(executor), waker_(executor) {}

  void Start() { tasks_.Spawn(Run()); }
  void Wake() { waker_.Wake(); }
  Awaitable<void> Stop();

 private:
  Awaitable<void> Run();
  // Whether there may be more.
  Awaitable<absl::StatusOr<bool>> SendDue();
  Awaitable<absl::Status> SendOne(OutboxItem item);

  Broker& broker_;
  Store& store_;
  const JobsOptions& options_;
  TaskGroup tasks_;
  Waker waker_;
  LogLimit log_limit_;
};

}  // namespace llm_router
