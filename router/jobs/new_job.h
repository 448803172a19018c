// A query as a job, checked. Pure but for its new id.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"
#include "router/store/store.h"

namespace llm_router {

// Fault invalid_request naming what no worker could read. What tags a caller must not choose (job, query,
// tenant) are taken out of `tags`.
absl::StatusOr<NewJob> MakeNewJob(std::string tenant, std::string route, std::string body, Tags tags);

}  // namespace llm_router
