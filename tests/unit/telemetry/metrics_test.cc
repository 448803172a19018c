#include "router/telemetry/metrics.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("metrics count queries, attempts, tokens and denials under their labels") {
  Metrics metrics;
  metrics.Query("openai", "ok", 0.2);
  metrics.Query("openai", "provider_busy", 0.1);
  metrics.Attempt("openai", "ok", 0.1);
  metrics.Tokens("openai", 5, 7);
  metrics.InFlight("openai", 1);
  metrics.Denied("unauthenticated");
  const std::string text = metrics.Text();
  CHECK_THAT(text, Contains(R"(llm_router_queries_total{outcome="ok",route="openai"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_queries_total{outcome="provider_busy",route="openai"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_attempts_total{outcome="ok",provider="openai"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_tokens_total{kind="output",route="openai"} 7)"));
  CHECK_THAT(text, Contains(R"(llm_router_queries_in_flight{route="openai"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_denied_total{reason="unauthenticated"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_query_seconds_count{route="openai"} 2)"));
}

}  // namespace
}  // namespace llm_router
