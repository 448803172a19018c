// The targets stage: tries the route's targets in order until one answers.
//
// A target whose failure another can't mend (the caller's own mistake, the deadline) ends the search; the
// fault table (proto/fault.h) says which.
#pragma once

#include <memory>

#include "router/pipeline/pipeline.h"

namespace llm_router {

std::unique_ptr<Stage> MakeTargetsStage();

}  // namespace llm_router
