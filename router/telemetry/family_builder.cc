#include "router/telemetry/family_builder.h"

namespace llm_router {

FamilyBuilder::FamilyBuilder(prometheus::MetricType type, const char* name, const char* help,
                             std::vector<const char*> labels)
    : labels_(std::move(labels)) {
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

prometheus::MetricFamily FamilyBuilder::Take() && {
  for (const auto& [values, value] : values_) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    for (size_t i = 0; i < values.size(); ++i) metric.label.push_back({labels_[i], values[i]});
    (family_.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  return std::move(family_);
}

}  // namespace llm_router
