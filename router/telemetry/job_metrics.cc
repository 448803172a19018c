#include "router/telemetry/job_metrics.h"

#include <algorithm>
#include <utility>

#include "router/telemetry/family_builder.h"

namespace llm_router {
namespace {

using prometheus::MetricFamily;

FamilyBuilder Gauges(const char* name, const char* help, std::vector<const char*> labels) {
  return {prometheus::MetricType::Gauge, name, help, std::move(labels)};
}

}  // namespace

void JobMetrics::SetJobs(const std::vector<RouteJobs>& jobs) {
  FamilyBuilder gauges =
      Gauges("llm_router_jobs", "Jobs by state, lines of batches included; those that are over: all so far",
             {"route", "state"});
  for (const RouteJobs& row : jobs) {
    const std::string route(routes_.Admit(row.route));
    const auto add = [&](const char* state, int64_t count) {
      gauges.At({route, state}) += static_cast<double>(count);
    };
    add("resting", row.resting);
    add("fed", row.fed);
    add("running", row.running);
    add("completed", row.completed);
    add("failed", row.failed);
    add("cancelled", row.cancelled);
  }
  const std::lock_guard lock(mutex_);
  jobs_ = std::move(gauges).Take();
}

void JobMetrics::SetBacklogs(const std::vector<RouteBacklog>& backlogs) {
  FamilyBuilder depths = Gauges("llm_router_queue_depth", "Jobs that wait for a worker", {"route"});
  FamilyBuilder ages = Gauges("llm_router_queue_oldest_age_seconds",
                              "How long the job that waits longest has waited", {"route"});
  for (const RouteBacklog& row : backlogs) {
    const std::string route(routes_.Admit(row.route));
    depths.At({route}) += static_cast<double>(row.depth);
    double& oldest = ages.At({route});
    oldest = std::max(oldest, row.oldest_seconds);
  }
  const std::lock_guard lock(mutex_);
  depth_ = std::move(depths).Take();
  oldest_ = std::move(ages).Take();
}

void JobMetrics::SetBatches(const std::vector<BatchFigures>& batches) {
  FamilyBuilder counts =
      Gauges("llm_router_batches", "Batches that are not over, by state", {"state", "tenant"});
  FamilyBuilder lines =
      Gauges("llm_router_batch_lines", "Lines of the batches that are not over, by the lines' state",
             {"state", "tenant"});
  for (const BatchFigures& row : batches) {
    const std::string tenant(tenants_.Admit(row.tenant));
    const auto add = [&](const char* state, int64_t count) {
      lines.At({state, tenant}) += static_cast<double>(count);
    };
    counts.At({row.state, tenant}) += static_cast<double>(row.batches);
    add("waiting", row.waiting);
    add("running", row.running);
    add("completed", row.completed);
    add("failed", row.failed);
  }
  const std::lock_guard lock(mutex_);
  batches_ = std::move(counts).Take();
  lines_ = std::move(lines).Take();
}

void JobMetrics::Collect(std::vector<MetricFamily>& families) const {
  const std::lock_guard lock(mutex_);
  for (const MetricFamily* family : {&jobs_, &depth_, &oldest_, &batches_, &lines_}) {
    if (!family->metric.empty()) families.push_back(*family);
  }
}

}  // namespace llm_router
