// The account stage, outermost: what became of a query, in its reply's tags, in the metrics and in one log
// line.
#pragma once

#include <memory>

#include "router/pipeline/pipeline.h"
#include "router/telemetry/metrics.h"

namespace llm_router {

// `metrics` outlives the stage.
std::unique_ptr<Stage> MakeAccountStage(Metrics& metrics);

}  // namespace llm_router
