#include "router/app_routes.h"

#include "router/config/chain_check.h"
#include "router/config/prompt_template.h"

namespace llm_router {

std::vector<Route> ResolveRoutes(const Config& config, const Providers& providers, QueryMetrics& metrics,
                                 Tracer* tracer) {
  std::vector<Route> routes;
  for (const RouteConfig& configured : InOrderOfUse(config.routes)) {
    Route& route = routes.emplace_back();
    route.name = configured.name;
    route.concurrency = static_cast<size_t>(configured.concurrency);
    route.reserve = static_cast<size_t>(configured.reserve);
    route.at_most_once = configured.at_most_once;
    route.series = &metrics.Route(route.name, route.concurrency);
    route.tracer = tracer;
    for (const TargetConfig& target : configured.targets) {
      Target& resolved = route.targets.emplace_back(providers.Find(target.provider), target.model);
      resolved.series = &metrics.Target(route.name, target.provider, target.model);
    }
    for (const ChainStepConfig& step : configured.chain) {
      ChainStep& resolved = route.chain.emplace_back();
      resolved.route = step.route;
      resolved.prompt = *PromptTemplate::Parse(step.prompt);  // checked when the configuration was read
    }
  }
  return routes;
}

}  // namespace llm_router
