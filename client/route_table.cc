#include "client/route_table.h"

#include <algorithm>
#include <utility>

namespace llm_router::client {
namespace {

void AddModels(const std::vector<std::string>& models, std::vector<std::string>& known) {
  for (const std::string& model : models) {
    if (std::find(known.begin(), known.end(), model) == known.end()) known.push_back(model);
  }
}

}  // namespace

void RouteTable::Add(contract::Heartbeat beat) {
  if (beat.leaving) {
    workers_.erase(beat.worker);
  } else if (workers_.size() < kMostWorkers || workers_.contains(beat.worker)) {
    std::string worker = beat.worker;
    workers_.insert_or_assign(std::move(worker), std::move(beat));
  }
}

std::vector<Route> RouteTable::Routes() const {
  absl::btree_map<std::string, Route> by_name;
  for (const auto& [worker, beat] : workers_) {
    for (const contract::RouteBeat& row : beat.routes) {
      Route& route = by_name[row.route];
      route.name = row.route;
      AddModels(row.models, route.models);
      ++route.workers;
      route.in_flight += row.in_flight;
      route.capacity += row.capacity;
    }
  }
  std::vector<Route> routes;
  for (auto& [name, route] : by_name) routes.push_back(std::move(route));
  return routes;
}

}  // namespace llm_router::client
