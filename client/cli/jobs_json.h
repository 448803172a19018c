// Jobs and batches as JSON, for --json, with the names that the contract gives them. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "client/client.h"

namespace llm_router::cli {

// {"id", "route", "state", "created_at", "runs", "failures", ...}
nlohmann::ordered_json ToJson(const client::JobStatus& job);
// {"id", "object": "batch", "status", "request_counts", ...}
nlohmann::ordered_json ToJson(const client::BatchStatus& batch);
// {"line", "code", "message", "param"?}
nlohmann::ordered_json ToJson(const client::BadLine& bad);

}  // namespace llm_router::cli
