// Roster: the living workers and their routes, from the heartbeats on a broker.
//
// Goes on trying when the broker can't be reached. Loop thread only (Start also before the loop runs). Once
// started, `co_await Stop()` before destruction.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/roster/roster_table.h"

namespace llm_router {

class Roster {
 public:
  Roster(Broker& broker, Executor executor) : broker_(broker), tasks_(executor) {}
  // What is published from then on is heard; over the network, once the message broker has taken the
  // subscription.
  void Start() { tasks_.Start(Listen()); }
  // Called after every heartbeat. Before Start.
  void OnBeat(std::function<void()> heard) { heard_ = std::move(heard); }

  bool Serves(std::string_view route) const { return table_.Serves(route, Now()); }
  // Routes with their models, sorted; of workers with heartbeats only.
  std::vector<contract::RouteModels> Routes() const { return table_.Routes(Now()); }
  int64_t JobCapacity(std::string_view route) const { return table_.JobCapacity(route, Now()); }
  bool Beats(std::string_view worker) const { return table_.Beats(worker, Now()); }
  bool HasJobsServiceBefore(std::string_view name) const { return table_.HasJobsServiceBefore(name, Now()); }
  RosterTable::Life LifeOf(std::string_view worker) const { return table_.LifeOf(worker, Now()); }

  Awaitable<void> Stop();

 private:
  Awaitable<void> Listen();
  void Hear(const Message& event);

  Broker& broker_;
  TaskGroup tasks_;
  RosterTable table_;
  SubscriptionPtr heartbeats_;
  std::function<void()> heard_;
};

}  // namespace llm_router
