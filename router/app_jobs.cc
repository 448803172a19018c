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

}  // namespace

SqliteStoreOptions StoreOptionsOf(const Config& config) {
  SqliteStoreOptions options;
  options.folder = StoreFolder(config);
  options.max_bytes = static_cast<uint64_t>(config.limits.queue_bytes);
  return options;
}

JobsOptions JobsOptionsOf(const Config& config, Metrics& metrics) {
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
  options.counted = [&metrics](const std::vector<RouteCount>& counts) {
    for (const RouteCount& count : counts) {
      metrics.Jobs(count.route, "resting", count.unfed);
      metrics.Jobs(count.route, "fed", count.fed - count.running);
      metrics.Jobs(count.route, "running", count.running);
      metrics.Jobs(count.route, "completed", count.completed);
      metrics.Jobs(count.route, "failed", count.failed);
      metrics.Jobs(count.route, "cancelled", count.cancelled);
    }
  };
  return options;
}

}  // namespace llm_router
