#include "router/telemetry/door_metrics.h"

#include "router/telemetry/metrics.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("what doors count is asked anew at each look, and kept for those who read in between") {
  Metrics metrics;
  DoorFigures grpc;
  grpc.door = "grpc";
  grpc.answered = 3;
  grpc.timeouts = 1;
  grpc.subscriptions = 2;
  metrics.doors().SetSource([&] { return std::vector<DoorFigures>{grpc}; });
  CHECK_THAT(metrics.Text(), !Contains("llm_router_door"));
  metrics.doors().Look();
  grpc.answered = 4;
  const std::string text = metrics.Text();
  CHECK_THAT(text, Contains("# TYPE llm_router_door_requests_total counter"));
  CHECK_THAT(text, Contains(R"(llm_router_door_requests_total{door="grpc",outcome="answered"} 3)"));
  CHECK_THAT(text, Contains(R"(llm_router_door_requests_total{door="grpc",outcome="timeout"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_door_requests_total{door="grpc",outcome="failed"} 0)"));
  CHECK_THAT(text, Contains(R"(llm_router_door_subscriptions{door="grpc"} 2)"));
  metrics.doors().Look();
  CHECK_THAT(metrics.Text(), Contains(R"(outcome="answered"} 4)"));
}

TEST_CASE("a process without doors shows none") {
  Metrics metrics;
  metrics.doors().Look();
  CHECK_THAT(metrics.Text(), !Contains("llm_router_door"));
}

}  // namespace
}  // namespace llm_router
