// RosterTable: which workers live, and which routes and models they serve, by their heartbeats.
//
// A worker is gone when it said so, or after three missed beats. Time is given, not asked. At most 10,000
// workers. A value; one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker_adapters/base/clock.h"
#include "proto/contract.h"

namespace llm_router {

class RosterTable {
 public:
  static constexpr Milliseconds kGoneAfter{3'500};  // a beat comes every second; half a second of grace

  void Beat(contract::Heartbeat beat, TimePoint now);

  bool Serves(std::string_view route, TimePoint now) const;
  // Routes with their models, as living workers list them; sorted.
  std::vector<contract::RouteModels> Routes(TimePoint now) const;

 private:
  struct Worker {
    TimePoint seen;
    contract::Heartbeat beat;
  };
  bool IsAlive(const Worker& worker, TimePoint now) const { return now - worker.seen <= kGoneAfter; }
  void Sweep(TimePoint now);

  std::map<std::string, Worker, std::less<>> workers_;
  TimePoint swept_{};
};

}  // namespace llm_router
