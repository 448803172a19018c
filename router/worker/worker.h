// Worker: takes the queries of its routes off their channels, runs each through the pipeline, and replies.
//
// One per process that has the role, owned by the composition root. Loop thread only. It says what it serves
// by a heartbeat every second, and drops a query when told to on the control channels or when the caller's
// side cancels it. `Drain()` takes no more and finishes what runs; it must have returned before destruction.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/pipeline/pipeline.h"
#include "router/worker/cancellations.h"

namespace llm_router {

struct WorkerOptions {
  WorkerOptions() = default;

  std::string name;  // unique among all workers; in heartbeats
  std::string config_version;
  std::vector<Route> routes;  // each after those that its chain uses
};

class Worker {
 public:
  // `broker` and `pipeline` outlive the worker.
  Worker(Executor executor, Broker& broker, const Pipeline& pipeline, WorkerOptions options);

  // Subscribes the routes and the control channels and sends the first heartbeat. An error names the channel.
  Awaitable<absl::Status> Start();

  // Takes no more, returns when everything taken is answered, and says goodbye in a last heartbeat.
  Awaitable<void> Drain();

 private:
  using Answer = OneShot<absl::StatusOr<Reply>>;
  struct Running {
    TaskGroup::TaskId task;
    std::string tenant;
  };

  Awaitable<absl::StatusOr<Reply>> Handle(const Route& route, Query query);
  Awaitable<void> RunInto(const Route& route, Query query, std::shared_ptr<Answer> answer);
  Awaitable<absl::Status> ListenForControl(std::string channel);
  void OnControl(const Message& message);
  Awaitable<void> BeatEverySecond();
  void Beat(bool leaving);

  Broker& broker_;
  const Pipeline& pipeline_;
  const WorkerOptions options_;
  Cancellations early_cancels_;
  absl::flat_hash_map<std::string, Running> running_;    // by the `query` tag
  absl::flat_hash_map<std::string, int64_t> in_flight_;  // by route
  std::vector<SubscriptionPtr> routes_;
  std::vector<SubscriptionPtr> control_;
  TaskGroup queries_;
  TaskGroup heartbeat_;
};

}  // namespace llm_router
