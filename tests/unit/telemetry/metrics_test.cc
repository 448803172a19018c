#include "router/telemetry/metrics.h"

#include <fmt/format.h>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("a refused call is counted by its reason") {
  Metrics metrics;
  metrics.Denied("unauthenticated");
  CHECK_THAT(metrics.Text(), Contains(R"(llm_router_denied_total{reason="unauthenticated"} 1)"));
}

TEST_CASE("a query is counted under its route, target, tenant and operation, and what went wrong") {
  Metrics metrics;
  QuerySeries& series = metrics.queries().Target("chat", "openai", "gpt").Of("acme", Operation::kChat);
  series.Ended(std::nullopt, 0.2);
  series.Ended(Fault::kProviderBusy, 0.1);
  const std::string text = metrics.Text();
  const std::string labels =
      R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt",route="chat",tenant="acme"})";
  CHECK_THAT(text, Contains("llm_router_queries_total{" + labels + " 1\n"));
  CHECK_THAT(text, Contains(R"(llm_router_queries_total{error_type="provider_busy",)" + labels + " 1\n"));
  CHECK_THAT(text, Contains("gen_ai_server_request_duration_seconds_count{" + labels + " 1\n"));
  CHECK_THAT(text, Contains("gen_ai_server_request_duration_seconds_sum{" + labels + " 0.2"));
}

TEST_CASE("tokens are counted by kind, and those that a provider does not tell are not there") {
  Metrics metrics;
  QuerySeries& series = metrics.queries().Target("r", "p", "m").Of("t", Operation::kChat);
  ChatUsage usage;
  usage.input_tokens = 5;
  usage.output_tokens = 7;
  usage.cache_read_tokens = 3;
  series.Used(usage);
  usage.output_tokens = -1;  // a provider's mistake
  series.Used(usage);
  const std::string text = metrics.Text();
  const auto counted = [&](const char* kind, int tokens) {
    return text.find(fmt::format(R"(,gen_ai_token_type="{}",route="r",tenant="t"}} {})", kind, tokens)) !=
           std::string::npos;
  };
  CHECK(counted("input", 10));
  CHECK(counted("output", 7));
  CHECK(counted("cache_read", 6));
  CHECK_THAT(text, !Contains("cache_write\""));
  CHECK_THAT(text, !Contains("reasoning\""));
  CHECK_THAT(text, Contains(R"(gen_ai_client_token_usage_count{gen_ai_operation_name="chat",)"));
}

TEST_CASE("attempts are counted while they last and when they ended, whoever's they are") {
  Metrics metrics;
  QuerySeries& series = metrics.queries().Target("r", "p", "m").Of("t", Operation::kEmbeddings);
  series.AttemptBegan();
  series.AttemptBegan();
  series.AttemptEnded(Fault::kProviderFailed, 1);
  const std::string text = metrics.Text();
  const std::string labels =
      R"(gen_ai_operation_name="embeddings",gen_ai_provider_name="p",gen_ai_request_model="m",route="r")";
  CHECK_THAT(text, Contains("llm_router_attempts_in_flight{" + labels + R"(,tenant="t"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_attempts_total{error_type="provider_failed",)" + labels));
  CHECK_THAT(text,
             Contains(R"(gen_ai_client_operation_duration_seconds_count{error_type="provider_failed",)" +
                      labels + "} 1"));
}

TEST_CASE("the first token has a time of its own") {
  Metrics metrics;
  metrics.queries().Target("r", "p", "m").Of("t", Operation::kChat).FirstToken(0.03);
  CHECK_THAT(metrics.Text(), Contains("gen_ai_server_time_to_first_token_seconds_count"));
}

TEST_CASE("a route shows its concurrency, and what is in flight by tenant") {
  Metrics metrics;
  RouteSeries& route = metrics.queries().Route("chat", 256);
  route.InFlight("acme").Increment();
  const std::string text = metrics.Text();
  CHECK_THAT(text, Contains(R"(llm_router_concurrency{route="chat"} 256)"));
  CHECK_THAT(text, Contains(R"(llm_router_queries_in_flight{route="chat",tenant="acme"} 1)"));
}

TEST_CASE("a query that came to no target is counted by its route") {
  Metrics metrics;
  RouteSeries& route = metrics.queries().Route("chat", 1);
  route.without_target().Of("acme", Operation::kUnknown).Ended(Fault::kInvalidRequest, 0);
  CHECK_THAT(
      metrics.Text(),
      Contains(
          R"(llm_router_queries_total{error_type="invalid_request",gen_ai_operation_name="unknown",route="chat",tenant="acme"} 1)"));
}

TEST_CASE("tenants without end share one series, in histograms sooner than in counters") {
  prometheus::Registry registry;
  QueryMetrics metrics(registry, TenantCaps(/*of_counters=*/3, /*of_histograms=*/2));
  TargetSeries& target = metrics.Target("r", "p", "m");
  RouteSeries& route = metrics.Route("r", 1);
  for (int tenant = 0; tenant < 1'000; ++tenant) {
    const std::string name = fmt::format("t{}", tenant);
    target.Of(name, Operation::kChat).Ended(std::nullopt, 1);
    route.InFlight(name).Increment();
  }
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    if (family.metric.empty() || family.name == "llm_router_concurrency") continue;
    INFO(family.name);
    const bool histogram = family.type == prometheus::MetricType::Histogram;
    REQUIRE(family.metric.size() == (histogram ? 3 : 4));
    std::map<std::string, double> counts;
    for (const prometheus::ClientMetric& metric : family.metric) {
      const double count = histogram ? static_cast<double>(metric.histogram.sample_count)
                                     : metric.counter.value + metric.gauge.value;
      counts[metric.label.back().value] += count;
    }
    CHECK(counts["t0"] == 1);
    CHECK(counts["other"] == (histogram ? 998 : 997));
  }
}

TEST_CASE("there are at most 1,000 tenants in the counters of a process") {
  Metrics metrics;
  RouteSeries& one = metrics.queries().Route("one", 1);
  RouteSeries& two = metrics.queries().Route("two", 1);
  for (int tenant = 0; tenant < 1'500; ++tenant) {
    one.InFlight(fmt::format("t{}", tenant)).Increment();
    two.InFlight(fmt::format("t{}", 1'499 - tenant)).Increment();
  }
  const std::string text = metrics.Text();
  CHECK_THAT(text, Contains(R"({route="one",tenant="other"} 500)"));
  CHECK_THAT(text, Contains(R"({route="two",tenant="other"} 500)"));
  CHECK_THAT(text, Contains(R"({route="two",tenant="t1499"} 1)"));
  CHECK_THAT(text, !Contains("t999"));
}

}  // namespace
}  // namespace llm_router
