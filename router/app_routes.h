// The routes that a worker serves, of the configuration.
#pragma once

#include <vector>

#include "router/config/config.h"
#include "router/pipeline/exchange.h"
#include "router/providers/providers.h"
#include "router/telemetry/query_metrics.h"

namespace llm_router {

// In the order in which chains use them, each with what it counts in and what traces it. `providers`,
// `metrics` and `tracer`, which may be null, outlive them.
std::vector<Route> ResolveRoutes(const Config& config, const Providers& providers, QueryMetrics& metrics,
                                 Tracer* tracer);

}  // namespace llm_router
