// RouteTable: what the workers' heartbeats say, summed by route. Pure; one thread.
#pragma once

#include <vector>

#include "absl/container/btree_map.h"
#include "client/client.h"
#include "proto/contract.h"

namespace llm_router::client {

class RouteTable {
 public:
  // Takes a worker's newest heartbeat; its last one removes it. Beyond kMostWorkers, new ones are dropped.
  void Add(contract::Heartbeat beat);

  // By name.
  std::vector<Route> Routes() const;

 private:
  static constexpr size_t kMostWorkers = 10'000;

  absl::btree_map<std::string, contract::Heartbeat> workers_;
};

}  // namespace llm_router::client
