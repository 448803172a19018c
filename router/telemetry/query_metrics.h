// QueryMetrics: what a worker counts, by route, target, tenant and operation.
//
// The composition root asks once for what each route and target counts in, and the stages of the pipeline
// keep to that: a query costs a look at its tenant's name and no more. The number of series is bounded:
// routes and targets come from configuration, tenants are capped (label_cap.h). Owned by Metrics; loop thread
// only.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "router/telemetry/label_cap.h"
#include "router/telemetry/query_series.h"

namespace llm_router {

// How many tenants are told apart.
struct TenantCaps {
  explicit TenantCaps(size_t of_counters = 1'000, size_t of_histograms = 100)
      : counters(of_counters), histograms(of_histograms) {}

  LabelCap counters;
  LabelCap histograms;
};

// What one target of a route counts in; or, without provider and model, the queries of a route that came to
// no target.
class TargetSeries {
 public:
  // `families` and `caps` outlive it.
  TargetSeries(QueryFamilies& families, TenantCaps& caps, Labels labels)
      : families_(families), caps_(caps), labels_(std::move(labels)) {}

  QuerySeries& Of(std::string_view tenant, Operation operation);

 private:
  using ByOperation = std::array<std::unique_ptr<QuerySeries>, kOperations>;

  QueryFamilies& families_;
  TenantCaps& caps_;
  const Labels labels_;
  absl::flat_hash_map<std::string, ByOperation> tenants_;
};

// What one route counts in.
class RouteSeries {
 public:
  // `families` and `caps` outlive it.
  RouteSeries(QueryFamilies& families, TenantCaps& caps, std::string route);

  prometheus::Gauge& InFlight(std::string_view tenant);
  TargetSeries& without_target() { return without_target_; }

 private:
  QueryFamilies& families_;
  TenantCaps& caps_;
  const std::string route_;
  TargetSeries without_target_;
  absl::flat_hash_map<std::string, prometheus::Gauge*> in_flight_;
};

class QueryMetrics {
 public:
  // `registry` outlives it.
  explicit QueryMetrics(prometheus::Registry& registry, TenantCaps caps = TenantCaps())
      : families_(registry), caps_(std::move(caps)) {}

  // Each lives as long as this. `concurrency`: queries and jobs that this worker runs at once, at most.
  RouteSeries& Route(const std::string& route, size_t concurrency);
  TargetSeries& Target(const std::string& route, const std::string& provider, const std::string& model);

 private:
  QueryFamilies families_;
  TenantCaps caps_;
  std::deque<RouteSeries> routes_;
  std::deque<TargetSeries> targets_;
};

}  // namespace llm_router
