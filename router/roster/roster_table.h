// RosterTable: which workers live, and which routes and models they serve, by their heartbeats.
//
// A worker serves no more when it said so, or after three missed beats; its runs of jobs are dead when it
// said so, or after ten. Time is given, not asked. At most 10,000 workers. A value; one thread.
#pragma once

#include <cstdint>
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
  static constexpr Milliseconds kDeadAfter{10'000};

  void Beat(contract::Heartbeat beat, TimePoint now);

  bool Serves(std::string_view route, TimePoint now) const;
  // Routes with their models, as living workers list them; sorted.
  std::vector<contract::RouteModels> Routes(TimePoint now) const;
  // Jobs that the living workers of a route can have at work at once.
  int64_t JobCapacity(std::string_view route, TimePoint now) const;

  // Whether its last beats were not missed.
  bool Beats(std::string_view worker, TimePoint now) const;
  // Whether a jobs service beats whose name comes before that one.
  bool HasJobsServiceBefore(std::string_view name, TimePoint now) const;
  enum class Life { kUnknown, kAlive, kLeft };
  // Of one that was heard in the last ten seconds.
  Life LifeOf(std::string_view worker, TimePoint now) const;

 private:
  struct Worker {
    TimePoint seen;
    contract::Heartbeat beat;
  };
  bool IsAlive(const Worker& worker, TimePoint now) const { return now - worker.seen <= kGoneAfter; }
  void Sweep(TimePoint now);

  std::map<std::string, Worker, std::less<>> workers_;
  std::map<std::string, TimePoint, std::less<>> left_;  // those that said goodbye, and when
  TimePoint swept_{};
};

}  // namespace llm_router
