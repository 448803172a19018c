// Worker: takes the queries of its routes off their channels, runs each through the pipeline, and replies;
// and the jobs of their queues, where the message broker keeps queues.
//
// One per process that has the role, owned by the composition root. Loop thread only. It says what it serves
// by a heartbeat every second, and drops a query when told to on the control channels or when the caller's
// side cancels it. `Drain()` takes no more and finishes what runs; it must have returned before destruction.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/pipeline/pipeline.h"
#include "router/worker/job_taker.h"
#include "router/worker/journal_client.h"
#include "router/worker/runs.h"
#include "router/worker/slots.h"
#include "router/worker/streams.h"

namespace llm_router {

struct WorkerOptions {
  WorkerOptions() = default;

  std::string name;  // unique among all workers; in heartbeats
  std::string config_version;
  std::vector<Route> routes;  // each after those that its chain uses
  JournalOptions journal;
};

class Worker {
 public:
  // `broker` and `pipeline` outlive the worker.
  Worker(Executor executor, Broker& broker, const Pipeline& pipeline, WorkerOptions options);

  // Subscribes the routes and the control channels and sends the first heartbeat. An error names the channel.
  Awaitable<absl::Status> Start();

  // Takes no more jobs; queries go on. What still runs at `until` is ended: its caller is told shutting_down,
  // a job goes back to its queue.
  Awaitable<void> BeginDrain(TimePoint until);

  // Takes no more, returns when everything taken is answered, and says goodbye in a last heartbeat. A job
  // whose outcome no jobs service keeps goes back to its queue in the end (JournalOptions::patience_at_end).
  Awaitable<void> Drain();

 private:
  // A route as it is served.
  struct Served {
    Served(Executor executor, const Route& its_route)
        : route(its_route), slots(executor, its_route.concurrency, its_route.reserve) {}

    const Route& route;
    Slots slots;
    SubscriptionPtr queries;
    std::unique_ptr<JobTaker> jobs;  // null: it takes none
  };

  Awaitable<absl::Status> Serve(Served& served);
  Awaitable<absl::StatusOr<Reply>> Handle(Served& served, Query query);
  void TakeJobs();
  Awaitable<void> StopTakingJobs();
  Awaitable<void> DrainJobs();
  Awaitable<void> EndRunsAt(TimePoint when);
  Awaitable<absl::Status> ListenForControl(std::string channel);
  Awaitable<absl::Status> ServeResumes();
  Awaitable<void> BeatEverySecond();
  void Beat(bool leaving);

  const Executor executor_;
  Broker& broker_;
  const WorkerOptions options_;
  Streams streams_;
  Runs runs_;
  JournalClient journal_;
  std::vector<std::unique_ptr<Served>> routes_;
  std::vector<SubscriptionPtr> control_;
  SubscriptionPtr resumes_;
  TaskGroup heartbeat_;
  TaskGroup limit_;  // of a drain
};

}  // namespace llm_router
