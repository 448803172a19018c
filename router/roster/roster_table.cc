#include "router/roster/roster_table.h"

#include <algorithm>
#include <utility>

namespace llm_router {
namespace {

constexpr size_t kMaxWorkers = 10'000;
constexpr int64_t kMostJobs = 1'000'000;  // of one worker; anyone may publish a heartbeat

}  // namespace

void RosterTable::Beat(contract::Heartbeat beat, TimePoint now) {
  if (now - swept_ >= std::chrono::seconds(1)) Sweep(now);
  if (beat.leaving) {
    workers_.erase(beat.worker);
    if (left_.size() < kMaxWorkers) left_[beat.worker] = now;
    return;
  }
  left_.erase(beat.worker);
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

int64_t RosterTable::JobCapacity(std::string_view route, TimePoint now) const {
  int64_t capacity = 0;
  for (const auto& [name, worker] : workers_) {
    if (!IsAlive(worker, now)) continue;
    for (const contract::RouteBeat& beat : worker.beat.routes) {
      if (beat.route == route) capacity += std::clamp<int64_t>(beat.job_capacity, 0, kMostJobs);
    }
  }
  return capacity;
}

bool RosterTable::Beats(std::string_view worker, TimePoint now) const {
  const auto found = workers_.find(worker);
  return found != workers_.end() && IsAlive(found->second, now);
}

bool RosterTable::HasJobsServiceBefore(std::string_view name, TimePoint now) const {
  return std::any_of(workers_.begin(), workers_.lower_bound(name),
                     [&](const auto& row) { return row.second.beat.jobs && IsAlive(row.second, now); });
}

RosterTable::Life RosterTable::LifeOf(std::string_view worker, TimePoint now) const {
  if (left_.contains(worker)) return Life::kLeft;
  const auto found = workers_.find(worker);
  const bool is_alive = found != workers_.end() && now - found->second.seen <= kDeadAfter;
  return is_alive ? Life::kAlive : Life::kUnknown;
}

void RosterTable::Sweep(TimePoint now) {
  swept_ = now;
  std::erase_if(workers_, [&](const auto& row) { return now - row.second.seen > kDeadAfter; });
  std::erase_if(left_, [&](const auto& row) { return now - row.second > kDeadAfter; });
}

}  // namespace llm_router
