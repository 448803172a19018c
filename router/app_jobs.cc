#include "router/app_jobs.h"

#include <string>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/registry.h"
#include "router/config/checks.h"

namespace llm_router {
namespace {

std::string StoreFolder(const Config& config) {
  if (!config.store.empty()) return config.store.substr(kSqliteStore.size());
  return IsEmbedded(config.broker.url) ? std::string(EmbeddedFolder(config.broker.url)) : "./llm-router-data";
}

std::vector<RouteJobs> JobsOf(const JobsFigures& figures) {
  std::vector<RouteJobs> jobs;
  for (const RouteCount& count : figures.jobs) {
    RouteJobs& row = jobs.emplace_back();
    row.route = count.route;
    row.resting = count.unfed;
    row.fed = count.fed - count.running;
    row.running = count.running;
    row.completed = count.completed;
    row.failed = count.failed;
    row.cancelled = count.cancelled;
  }
  return jobs;
}

std::vector<RouteBacklog> BacklogsOf(const JobsFigures& figures) {
  std::vector<RouteBacklog> backlogs;
  for (const QueueFigures& queue : figures.queues) {
    RouteBacklog& row = backlogs.emplace_back();
    row.route = queue.route;
    row.depth = queue.depth;
    row.oldest_seconds = std::chrono::duration<double>(queue.oldest).count();
  }
  return backlogs;
}

std::vector<BatchFigures> BatchesOf(const JobsFigures& figures) {
  std::vector<BatchFigures> batches;
  for (const OpenBatches& open : figures.batches) {
    BatchFigures& row = batches.emplace_back();
    row.tenant = open.tenant;
    row.state = contract::NameOf(open.state);
    row.batches = open.batches;
    row.waiting = open.lines.total - open.lines.completed - open.lines.failed - open.lines.running;
    row.running = open.lines.running;
    row.completed = open.lines.completed;
    row.failed = open.lines.failed;
  }
  return batches;
}

}  // namespace

SqliteStoreOptions StoreOptionsOf(const Config& config) {
  SqliteStoreOptions options;
  options.folder = StoreFolder(config);
  options.max_bytes = static_cast<uint64_t>(config.limits.queue_bytes);
  return options;
}

JobsOptions JobsOptionsOf(const Config& config, JobMetrics& metrics) {
  JobsOptions options;
  options.name = NewId();
  options.may_have_rivals = !IsEmbedded(config.broker.url);
  options.keep_results = std::chrono::hours(config.jobs.keep_results);
  for (const RouteConfig& route : config.routes) {
    contract::RouteModels& models = options.routes.emplace_back();
    models.route = route.name;
    for (const TargetConfig& target : route.targets) models.models.push_back(target.model);
    options.policies.routes[route.name] = {route.at_most_once, route.runs};
    options.job_concurrency[route.name] = route.job_concurrency;
  }
  options.measured = [&metrics](const JobsFigures& figures) {
    metrics.SetJobs(JobsOf(figures));
    metrics.SetBacklogs(BacklogsOf(figures));
    metrics.SetBatches(BatchesOf(figures));
  };
  return options;
}

}  // namespace llm_router
