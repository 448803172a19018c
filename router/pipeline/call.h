// The call stage, innermost: one attempt at one target: render, send, read, and put the answer into the
// caller's words.
#pragma once

#include <memory>

#include "router/net/http_client.h"
#include "router/pipeline/pipeline.h"

namespace llm_router {

// `http` outlives the stage. Replies over `max_reply` bytes are refused.
std::unique_ptr<Stage> MakeCallStage(HttpClient& http, size_t max_reply);

}  // namespace llm_router
