#include "router/telemetry/job_metrics.h"

#include <algorithm>
#include <map>
#include <utility>

namespace llm_router {
namespace {

using prometheus::MetricFamily;

// One family on its way: values by their labels' values.
class Gauges {
 public:
  Gauges(const char* name, const char* help, std::vector<const char*> labels) : labels_(std::move(labels)) {
    family_.name = name;
    family_.help = help;
    family_.type = prometheus::MetricType::Gauge;
  }

  // 0 until it was set.
  double& At(std::vector<std::string> values) { return values_[std::move(values)]; }

  MetricFamily Take() {
    for (const auto& [values, value] : values_) {
      prometheus::ClientMetric& metric = family_.metric.emplace_back();
      for (size_t i = 0; i < values.size(); ++i) metric.label.push_back({labels_[i], values[i]});
      metric.gauge.value = value;
    }
    return std::move(family_);
  }

 private:
  const std::vector<const char*> labels_;
  MetricFamily family_;
  std::map<std::vector<std::string>, double> values_;
};

}  // namespace

void JobMetrics::SetJobs(const std::vector<RouteJobs>& jobs) {
  Gauges gauges("llm_router_jobs",
                "Jobs by state, lines of batches included; those that are over: all so far",
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
  jobs_ = gauges.Take();
}

void JobMetrics::SetBacklogs(const std::vector<RouteBacklog>& backlogs) {
  Gauges depths("llm_router_queue_depth", "Jobs that wait for a worker", {"route"});
  Gauges ages("llm_router_queue_oldest_age_seconds", "How long the job that waits longest has waited",
              {"route"});
  for (const RouteBacklog& row : backlogs) {
    const std::string route(routes_.Admit(row.route));
    depths.At({route}) += static_cast<double>(row.depth);
    double& oldest = ages.At({route});
    oldest = std::max(oldest, row.oldest_seconds);
  }
  const std::lock_guard lock(mutex_);
  depth_ = depths.Take();
  oldest_ = ages.Take();
}

void JobMetrics::SetBatches(const std::vector<BatchFigures>& batches) {
  Gauges counts("llm_router_batches", "Batches that are not over, by state", {"state", "tenant"});
  Gauges lines("llm_router_batch_lines", "Lines of the batches that are not over, by the lines' state",
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
  batches_ = counts.Take();
  lines_ = lines.Take();
}

void JobMetrics::Collect(std::vector<MetricFamily>& families) const {
  const std::lock_guard lock(mutex_);
  for (const MetricFamily* family : {&jobs_, &depth_, &oldest_, &batches_, &lines_}) {
    if (!family->metric.empty()) families.push_back(*family);
  }
}

}  // namespace llm_router
