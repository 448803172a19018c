// The routes that a worker serves, of the configuration.
#pragma once

#include <vector>

#include "router/config/config.h"
#include "router/pipeline/exchange.h"
#include "router/providers/providers.h"
#include "router/telemetry/query_metrics.h"

namespace llm_router {

// In the order in which chains use them, each with what it counts in. `providers` and `metrics` outlive them.
std::vector<Route> ResolveRoutes(const Config& config, const Providers& providers, QueryMetrics& metrics);

}  // namespace llm_router
