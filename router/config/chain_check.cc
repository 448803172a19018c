#include "router/config/chain_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "router/config/nearest.h"
#include "router/config/prompt_template.h"

namespace llm_router {
namespace {

const RouteConfig* Find(std::span<const RouteConfig> routes, std::string_view name) {
  const auto found = std::ranges::find(routes, name, &RouteConfig::name);
  return found == routes.end() ? nullptr : &*found;
}

std::string PathOf(const RouteConfig& route, size_t step, std::string_view setting) {
  return fmt::format("routes.{}.chain[{}].{}", route.name, step, setting);
}

// Follows the steps from one route on, each route once, to see whether they come back to it.
class Circle {
 public:
  Circle(std::span<const RouteConfig> routes, const RouteConfig& start) : routes_(routes), start_(start) {}

  // The way from the start by way of `name` back to it, "a -> b -> a"; empty: there is none.
  std::string Through(std::string_view name) {
    way_ = {start_.name};
    seen_.clear();
    return Leads(name) ? fmt::format("{}", fmt::join(way_, " -> ")) : std::string();
  }

 private:
  bool Leads(std::string_view name) {
    way_.push_back(name);
    if (name == start_.name) return true;
    const RouteConfig* route = seen_.insert(name).second ? Find(routes_, name) : nullptr;
    if (route != nullptr) {
      for (const ChainStepConfig& step : route->chain) {
        if (Leads(step.route)) return true;
      }
    }
    way_.pop_back();
    return false;
  }

  std::span<const RouteConfig> routes_;
  const RouteConfig& start_;
  std::vector<std::string_view> way_;
  std::set<std::string_view> seen_;
};

void AddInOrder(std::span<const RouteConfig> routes, const RouteConfig& route,
                std::set<std::string_view>& added, std::vector<RouteConfig>& ordered) {
  if (!added.insert(route.name).second) return;
  for (const ChainStepConfig& step : route.chain) {
    if (const RouteConfig* used = Find(routes, step.route)) AddInOrder(routes, *used, added, ordered);
  }
  ordered.push_back(route);
}

}  // namespace

void CheckChains(std::span<const RouteConfig> routes,
                 const std::function<void(const std::string& path, std::string_view complaint)>& complain) {
  for (const RouteConfig& route : routes) {
    Circle circle(routes, route);
    for (size_t i = 0; i < route.chain.size(); ++i) {
      const std::string way = circle.Through(route.chain[i].route);
      if (!way.empty()) {
        complain(PathOf(route, i, "route"), fmt::format("goes in a circle, {}: name another route", way));
      }
    }
    if (route.chain.empty()) continue;
    const auto first = PromptTemplate::Parse(route.chain.front().prompt);
    if (first.ok() && first->uses_previous()) {
      complain(PathOf(route, 0, "prompt"),
               "holds {previous}, and nothing is before the first step: write {input}");
    }
  }
}

std::vector<std::string> StepsElsewhere(std::span<const RouteConfig> routes) {
  std::vector<std::string_view> names;
  for (const RouteConfig& route : routes) names.push_back(route.name);
  std::vector<std::string> sentences;
  for (const RouteConfig& route : routes) {
    for (size_t i = 0; i < route.chain.size(); ++i) {
      const std::string& step = route.chain[i].route;
      if (Find(routes, step) != nullptr) continue;
      const auto nearest = Nearest(step, names);
      sentences.push_back(
          fmt::format("{}: route {} is not in this configuration: another worker has to serve it{}",
                      PathOf(route, i, "route"), step,
                      nearest ? fmt::format(", or did you mean {}?", *nearest) : std::string()));
    }
  }
  return sentences;
}

std::vector<RouteConfig> InOrderOfUse(std::span<const RouteConfig> routes) {
  std::vector<RouteConfig> ordered;
  std::set<std::string_view> added;
  for (const RouteConfig& route : routes) AddInOrder(routes, route, added, ordered);
  return ordered;
}

}  // namespace llm_router
