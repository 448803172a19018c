#include "router/gateway/roster_table.h"

#include <algorithm>
#include <utility>

namespace llm_router {
namespace {

constexpr size_t kMaxWorkers = 10'000;

}  // namespace

void RosterTable::Beat(contract::Heartbeat beat, TimePoint now) {
  if (now - swept_ >= std::chrono::seconds(1)) Sweep(now);
  if (beat.leaving) {
    workers_.erase(beat.worker);
    return;
  }
  if (workers_.size() >= kMaxWorkers && !workers_.contains(beat.worker)) return;
  Worker& worker = workers_[beat.worker];
  worker.seen = now;
  worker.beat = std::move(beat);
}

bool RosterTable::Serves(std::string_view route, TimePoint now) const {
  const auto serves = [&](const auto& row) {
    const auto& routes = row.second.beat.routes;
    return IsAlive(row.second, now) &&
           std::any_of(routes.begin(), routes.end(), [&](const auto& beat) { return beat.route == route; });
  };
  return std::any_of(workers_.begin(), workers_.end(), serves);
}

std::vector<contract::RouteModels> RosterTable::Routes(TimePoint now) const {
  std::map<std::string, contract::RouteModels> routes;
  for (const auto& [name, worker] : workers_) {
    if (!IsAlive(worker, now)) continue;
    for (const contract::RouteBeat& beat : worker.beat.routes) {
      contract::RouteModels& row = routes[beat.route];
      row.route = beat.route;
      for (const std::string& model : beat.models) {
        if (std::find(row.models.begin(), row.models.end(), model) == row.models.end())
          row.models.push_back(model);
      }
    }
  }
  std::vector<contract::RouteModels> sorted;
  for (auto& [name, row] : routes) sorted.push_back(std::move(row));
  return sorted;
}

void RosterTable::Sweep(TimePoint now) {
  swept_ = now;
  std::erase_if(workers_, [&](const auto& row) { return !IsAlive(row.second, now); });
}

}  // namespace llm_router
