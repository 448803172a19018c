// Metrics: what Prometheus reads of this process.
//
// One per process, owned by the composition root. Every label has a bounded number of values: they come from
// configuration and fixed sets, or are capped (label_cap.h). Loop thread only, but for Denied and Text.
#pragma once

#include <prometheus/registry.h>

#include <string>
#include <string_view>

#include "router/telemetry/door_metrics.h"
#include "router/telemetry/job_metrics.h"
#include "router/telemetry/query_metrics.h"

namespace llm_router {

class Metrics {
 public:
  Metrics();

  QueryMetrics& queries() { return queries_; }  // of the worker
  JobMetrics& jobs() { return jobs_; }          // of the jobs service
  DoorMetrics& doors() { return doors_; }       // of the gateway
  // A call was refused at a door: `fault` is unauthenticated or permission_denied. Any thread.
  void Denied(std::string_view fault);
  // `spans` were `sent` to the collector, `dropped` as too many waited, or `failed`, as it did not take them.
  void Traced(std::string_view outcome, size_t spans);

  // Everything in Prometheus' text format. With many tenants it takes a tenth of a second: not on the loop.
  // Any thread.
  std::string Text() const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& denied_;
  prometheus::Family<prometheus::Counter>& spans_;
  QueryMetrics queries_;
  JobMetrics jobs_;
  DoorMetrics doors_;
};

}  // namespace llm_router
