#include "router/telemetry/metrics.h"

#include <prometheus/text_serializer.h>

#include <vector>

namespace llm_router {

Metrics::Metrics()
    : denied_(prometheus::BuildCounter()
                  .Name("llm_router_denied_total")
                  .Help("Calls refused for want of a key or of access, by reason")
                  .Register(registry_)),
      spans_(prometheus::BuildCounter()
                 .Name("llm_router_spans_total")
                 .Help("Spans of sampled traces that ended, by what became of them")
                 .Register(registry_)),
      queries_(registry_) {
  for (const char* outcome : {"sent", "dropped", "failed"}) spans_.Add({{"outcome", outcome}});
}

void Metrics::Denied(std::string_view fault) { denied_.Add({{"reason", std::string(fault)}}).Increment(); }

void Metrics::Traced(std::string_view outcome, size_t spans) {
  spans_.Add({{"outcome", std::string(outcome)}}).Increment(static_cast<double>(spans));
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  jobs_.Collect(families);
  doors_.Collect(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace llm_router
