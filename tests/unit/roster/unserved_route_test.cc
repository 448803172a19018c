#include "router/roster/unserved_route.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

std::vector<contract::RouteModels> Routes(int count) {
  std::vector<contract::RouteModels> routes;
  for (int i = 0; i < count; ++i) routes.emplace_back().route = fmt::format("r{:02}", i);
  return routes;
}

TEST_CASE("a caller whose route nobody serves is told which routes there are") {
  const absl::Status status = UnservedRoute("nobody", Routes(2));
  CHECK(FaultOf(status) == Fault::kUnknownRoute);
  CHECK(MessageOf(status) == "no worker serves the route \"nobody\"; there are: r00, r01");
}

TEST_CASE("routes beyond those that are named are counted") {
  CHECK(MessageOf(UnservedRoute("x", Routes(20))).ends_with("r18, r19"));
  CHECK(MessageOf(UnservedRoute("x", Routes(23))).ends_with("r18, r19 and 3 more"));
}

TEST_CASE("without any worker the remedy is to start one") {
  CHECK(MessageOf(UnservedRoute("x", {})) ==
        "no worker serves the route \"x\", nor any other: start a worker");
}

TEST_CASE("a long route is not repeated whole") {
  CHECK(MessageOf(UnservedRoute(std::string(100'000, 'x'), Routes(1))).size() < 200);
}

}  // namespace
}  // namespace llm_router
