// FamilyBuilder: one metric with all its series, made of figures that were told and not counted here. A
// value.
#pragma once

#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace llm_router {

class FamilyBuilder {
 public:
  // `labels`: their names. A counter's or a gauge's.
  FamilyBuilder(prometheus::MetricType type, const char* name, const char* help,
                std::vector<const char*> labels);

  // The value for these of its labels: 0 until it was set.
  double& At(std::vector<std::string> values) { return values_[std::move(values)]; }

  prometheus::MetricFamily Take() &&;

 private:
  const std::vector<const char*> labels_;
  prometheus::MetricFamily family_;
  std::map<std::vector<std::string>, double> values_;
};

}  // namespace llm_router
