// The decode stage: reads tags and body into the canonical Chat, and settles the deadline.
#pragma once

#include <memory>

#include "router/pipeline/pipeline.h"

namespace llm_router {

std::unique_ptr<Stage> MakeDecodeStage();

}  // namespace llm_router
