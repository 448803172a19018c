// QueryFamilies: the metrics of queries by name, before they have labels. Private to telemetry.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace llm_router {

struct QueryFamilies {
  // `registry` outlives it.
  explicit QueryFamilies(prometheus::Registry& registry);

  static prometheus::Histogram::BucketBoundaries DurationBuckets();    // seconds
  static prometheus::Histogram::BucketBoundaries FirstTokenBuckets();  // seconds
  static prometheus::Histogram::BucketBoundaries TokenBuckets();

  prometheus::Family<prometheus::Counter>& queries;
  prometheus::Family<prometheus::Gauge>& in_flight;
  prometheus::Family<prometheus::Gauge>& concurrency;
  prometheus::Family<prometheus::Histogram>& duration;
  prometheus::Family<prometheus::Histogram>& first_token;
  prometheus::Family<prometheus::Counter>& tokens;
  prometheus::Family<prometheus::Histogram>& token_usage;
  prometheus::Family<prometheus::Counter>& attempts;
  prometheus::Family<prometheus::Gauge>& attempts_in_flight;
  prometheus::Family<prometheus::Histogram>& attempt_duration;
};

}  // namespace llm_router
