// CheckChains: what only all routes together show of their chains: circles, and {previous} where there is
// none.
//
// Pure; any thread. A step may name a route that this configuration does not have: another worker may serve
// it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/config.h"

namespace llm_router {

// Calls `complain` with the path of each place and "what is wrong: remedy".
void CheckChains(std::span<const RouteConfig> routes,
                 const std::function<void(const std::string& path, std::string_view complaint)>& complain);

// A sentence for every step whose route is not among `routes`.
std::vector<std::string> StepsElsewhere(std::span<const RouteConfig> routes);

// `routes` with each after those its chain's steps name; there is no circle.
std::vector<RouteConfig> InOrderOfUse(std::span<const RouteConfig> routes);

}  // namespace llm_router
