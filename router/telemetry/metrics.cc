#include "router/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace llm_router {
namespace {

// Seconds; an LLM's answer takes from a tenth of one to minutes.
const prometheus::Histogram::BucketBoundaries kSeconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                       2.5,   5,    10,    30,   60,  120,  300, 600};

template <class Metric>
prometheus::Family<Metric>& Family(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::detail::Builder<Metric>().Name(name).Help(help).Register(registry);
}

prometheus::Labels Labels(const char* first, std::string_view a, const char* second, std::string_view b) {
  return {{first, std::string(a)}, {second, std::string(b)}};
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& queries = Family<prometheus::Counter>(
      registry, "llm_router_queries_total", "Queries that ended, by route and outcome");
  prometheus::Family<prometheus::Histogram>& query_seconds = Family<prometheus::Histogram>(
      registry, "llm_router_query_seconds", "Time from a worker taking a query to its reply, by route");
  prometheus::Family<prometheus::Gauge>& in_flight =
      Family<prometheus::Gauge>(registry, "llm_router_queries_in_flight", "Queries now running, by route");
  prometheus::Family<prometheus::Counter>& attempts = Family<prometheus::Counter>(
      registry, "llm_router_attempts_total", "Provider calls, by provider and outcome");
  prometheus::Family<prometheus::Histogram>& attempt_seconds = Family<prometheus::Histogram>(
      registry, "llm_router_attempt_seconds", "Time of a provider call, by provider");
  prometheus::Family<prometheus::Gauge>& jobs = Family<prometheus::Gauge>(
      registry, "llm_router_jobs",
      "Jobs, lines of batches included, by route and state; those that are over: all so far");
  prometheus::Family<prometheus::Counter>& denied = Family<prometheus::Counter>(
      registry, "llm_router_denied_total", "Calls refused for want of a key or of access, by reason");
  prometheus::Family<prometheus::Counter>& tokens =
      Family<prometheus::Counter>(registry, "llm_router_tokens_total", "Tokens, by route and kind");
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::Query(std::string_view route, std::string_view outcome, double seconds) {
  families_->queries.Add(Labels("route", route, "outcome", outcome)).Increment();
  families_->query_seconds.Add({{"route", std::string(route)}}, kSeconds).Observe(seconds);
}

void Metrics::InFlight(std::string_view route, int change) {
  families_->in_flight.Add({{"route", std::string(route)}}).Increment(change);
}

void Metrics::Attempt(std::string_view provider, std::string_view outcome, double seconds) {
  families_->attempts.Add(Labels("provider", provider, "outcome", outcome)).Increment();
  families_->attempt_seconds.Add({{"provider", std::string(provider)}}, kSeconds).Observe(seconds);
}

void Metrics::Jobs(std::string_view route, std::string_view state, int64_t count) {
  families_->jobs.Add(Labels("route", route, "state", state)).Set(static_cast<double>(count));
}

void Metrics::Denied(std::string_view fault) {
  families_->denied.Add({{"reason", std::string(fault)}}).Increment();
}

void Metrics::Tokens(std::string_view route, int64_t input, int64_t output) {
  families_->tokens.Add(Labels("route", route, "kind", "input")).Increment(static_cast<double>(input));
  families_->tokens.Add(Labels("route", route, "kind", "output")).Increment(static_cast<double>(output));
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace llm_router
