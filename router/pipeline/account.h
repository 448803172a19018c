// The account stage, outermost: what became of a query, in its reply's tags, in the metrics and in one log
// line.
#pragma once

#include <memory>

#include "router/pipeline/pipeline.h"

namespace llm_router {

std::unique_ptr<Stage> MakeAccountStage();

// The same for a query that came to no stage: its deadline passed before there was a place for it, say.
void AccountUnrun(const Route& route, Query query, const absl::Status& why);

}  // namespace llm_router
