#include "router/telemetry/metrics.h"

#include <prometheus/text_serializer.h>

#include <vector>

namespace llm_router {

Metrics::Metrics()
    : denied_(prometheus::BuildCounter()
                  .Name("llm_router_denied_total")
                  .Help("Calls refused for want of a key or of access, by reason")
                  .Register(registry_)),
      queries_(registry_) {}

void Metrics::Denied(std::string_view fault) { denied_.Add({{"reason", std::string(fault)}}).Increment(); }

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  jobs_.Collect(families);
  doors_.Collect(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace llm_router
