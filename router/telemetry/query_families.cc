#include "router/telemetry/query_families.h"

namespace llm_router {
namespace {

template <class Metric>
prometheus::Family<Metric>& Family(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::detail::Builder<Metric>().Name(name).Help(help).Register(registry);
}

}  // namespace

// OpenTelemetry's buckets, and above them those of answers that take minutes.
prometheus::Histogram::BucketBoundaries QueryFamilies::DurationBuckets() {
  return {0.01, 0.02,  0.04,  0.08,  0.16,  0.32,   0.64,   1.28,  2.56,
          5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36};
}

prometheus::Histogram::BucketBoundaries QueryFamilies::FirstTokenBuckets() {
  return {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60};
}

prometheus::Histogram::BucketBoundaries QueryFamilies::TokenBuckets() {
  return {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
}

QueryFamilies::QueryFamilies(prometheus::Registry& registry)
    : queries(Family<prometheus::Counter>(registry, "llm_router_queries_total",
                                          "Queries and runs of jobs that ended; error_type: why without an "
                                          "answer")),
      in_flight(Family<prometheus::Gauge>(registry, "llm_router_queries_in_flight",
                                          "Queries and jobs now running")),
      concurrency(Family<prometheus::Gauge>(registry, "llm_router_concurrency",
                                            "Queries and jobs that this worker runs at once, at most")),
      duration(Family<prometheus::Histogram>(registry, "gen_ai_server_request_duration_seconds",
                                             "Time from a worker's taking a query to its reply's end")),
      first_token(Family<prometheus::Histogram>(registry, "gen_ai_server_time_to_first_token_seconds",
                                                "Time from a worker's taking a query to the first piece of "
                                                "its streamed reply")),
      tokens(Family<prometheus::Counter>(registry, "llm_router_tokens_total",
                                         "Tokens by kind; cache_read and cache_write are part of input, "
                                         "reasoning is part of output")),
      token_usage(Family<prometheus::Histogram>(registry, "gen_ai_client_token_usage",
                                                "Tokens of a query, input and output")),
      attempts(Family<prometheus::Counter>(registry, "llm_router_attempts_total",
                                           "Calls of a provider that ended")),
      attempts_in_flight(
          Family<prometheus::Gauge>(registry, "llm_router_attempts_in_flight", "Calls of a provider, now")),
      attempt_duration(Family<prometheus::Histogram>(registry, "gen_ai_client_operation_duration_seconds",
                                                     "Time of a call of a provider")) {}

}  // namespace llm_router
