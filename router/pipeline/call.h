// The call stage, innermost: one attempt at one target: render, send, read, and put the answer into the
// caller's words.
#pragma once

#include <memory>

#include "router/net/http_client.h"
#include "router/pipeline/pipeline.h"
#include "router/telemetry/metrics.h"

namespace llm_router {

// `http` and `metrics` outlive the stage. Replies over `max_reply` bytes are refused.
std::unique_ptr<Stage> MakeCallStage(HttpClient& http, Metrics& metrics, size_t max_reply);

}  // namespace llm_router
