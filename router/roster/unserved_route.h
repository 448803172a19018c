// UnservedRoute: what a caller is told whose route nobody serves. Pure; any thread.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract.h"

namespace llm_router {

// Fault unknown_route, naming the routes there are; of many, the first 20 and how many more.
[[nodiscard]] absl::Status UnservedRoute(std::string_view route,
                                         std::span<const contract::RouteModels> served);

}  // namespace llm_router
