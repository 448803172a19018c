#include "router/telemetry/query_metrics.h"

#include <utility>

namespace llm_router {
namespace {

Labels TargetLabels(const std::string& route, const std::string& provider, const std::string& model) {
  Labels labels{{"route", route}};
  if (!provider.empty()) labels.emplace("gen_ai_provider_name", provider);
  if (!model.empty()) labels.emplace("gen_ai_request_model", model);
  return labels;
}

Labels WithTenant(Labels labels, std::string_view tenant) {
  labels.emplace("tenant", tenant);
  return labels;
}

}  // namespace

QuerySeries& TargetSeries::Of(std::string_view tenant, Operation operation) {
  auto found = tenants_.find(KeyOf(tenant));
  if (found == tenants_.end()) found = tenants_.try_emplace(std::string(caps_.counters.Admit(tenant))).first;
  std::unique_ptr<QuerySeries>& series = found->second[static_cast<size_t>(operation)];
  if (!series) {
    Labels labels = labels_;
    labels.emplace("gen_ai_operation_name", NameOf(operation));
    Labels coarse = WithTenant(labels, caps_.histograms.Admit(found->first));
    series = std::make_unique<QuerySeries>(families_, WithTenant(std::move(labels), found->first),
                                           std::move(coarse));
  }
  return *series;
}

RouteSeries::RouteSeries(QueryFamilies& families, TenantCaps& caps, std::string route)
    : families_(families),
      caps_(caps),
      route_(std::move(route)),
      without_target_(families, caps, TargetLabels(route_, "", "")) {}

prometheus::Gauge& RouteSeries::InFlight(std::string_view tenant) {
  auto found = in_flight_.find(KeyOf(tenant));
  if (found == in_flight_.end())
    found = in_flight_.try_emplace(std::string(caps_.counters.Admit(tenant)), nullptr).first;
  if (found->second == nullptr)
    found->second = &families_.in_flight.Add(WithTenant(TargetLabels(route_, "", ""), found->first));
  return *found->second;
}

RouteSeries& QueryMetrics::Route(const std::string& route, size_t concurrency) {
  families_.concurrency.Add({{"route", route}}).Set(static_cast<double>(concurrency));
  return routes_.emplace_back(families_, caps_, route);
}

TargetSeries& QueryMetrics::Target(const std::string& route, const std::string& provider,
                                   const std::string& model) {
  return targets_.emplace_back(families_, caps_, TargetLabels(route, provider, model));
}

}  // namespace llm_router
