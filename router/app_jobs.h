// What the jobs service is told, of the configuration. Pure, but for the metrics that its counts go to.
#pragma once

#include "router/config/config.h"
#include "router/jobs/jobs_options.h"
#include "router/store/sqlite_store.h"
#include "router/telemetry/job_metrics.h"

namespace llm_router {

SqliteStoreOptions StoreOptionsOf(const Config& config);
// `metrics` outlives the service.
JobsOptions JobsOptionsOf(const Config& config, JobMetrics& metrics);

}  // namespace llm_router
