// CrossCheck: what no setting can be checked for alone: that targets name providers, types and engines exist,
// and doors do not share a port.
//
// Pure; any thread. Fills in the models that targets leave to their provider's type.
#pragma once

#include "router/config/binder.h"
#include "router/config/load.h"
#include "router/config/problems.h"

namespace llm_router {

void CrossCheck(const LoadRequest& request, Bound& bound, Problems& problems);

}  // namespace llm_router
