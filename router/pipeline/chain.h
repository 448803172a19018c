// The chain stage: a route that is a sequence of other routes.
//
// Each step is a query of its own on its route's channel, so it may be served by another worker and holds a
// place in its route's concurrency only while it runs. Steps share the query's deadline, tenant and request
// id; a step that fails ends the chain, with the step's fault. Routes with targets pass through untouched.
#pragma once

#include <memory>

#include "router/pipeline/pipeline.h"

namespace llm_router {

// `broker` outlives the stage. Prompts over `max_body` bytes are refused.
std::unique_ptr<Stage> MakeChainStage(Broker& broker, size_t max_body);

}  // namespace llm_router
