// The routes that a worker serves, of the configuration. Pure.
#pragma once

#include <vector>

#include "router/config/config.h"
#include "router/pipeline/exchange.h"
#include "router/providers/providers.h"

namespace llm_router {

// In the order in which chains use them. `providers` outlives them.
std::vector<Route> ResolveRoutes(const Config& config, const Providers& providers);

}  // namespace llm_router
