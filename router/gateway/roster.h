// Roster: the living workers and their routes, from the heartbeats on a broker.
//
// Goes on trying when the broker can't be reached. Loop thread only (Start also before the loop runs). Once
// started, `co_await Stop()` before destruction.
#pragma once

#include <string_view>
#include <vector>

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/gateway/roster_table.h"

namespace llm_router {

class Roster {
 public:
  Roster(Broker& broker, Executor executor) : broker_(broker), tasks_(executor) {}
  void Start() { tasks_.Spawn(Listen()); }

  bool Serves(std::string_view route) const { return table_.Serves(route, Now()); }
  // Routes with their models, sorted; of workers with heartbeats only.
  std::vector<contract::RouteModels> Routes() const { return table_.Routes(Now()); }

  Awaitable<void> Stop();

 private:
  Awaitable<void> Listen();
  void Hear(const Message& event);

  Broker& broker_;
  TaskGroup tasks_;
  RosterTable table_;
  SubscriptionPtr heartbeats_;
};

}  // namespace llm_router
