// The calls that ask a model: POST /v1/chat/completions, /v1/messages and what else an endpoint's dialect
// says. Whole replies, streams, and jobs where the caller prefers not to wait.
#pragma once

#include "router/gateway/http_call.h"

namespace llm_router {

Awaitable<void> AskModel(GatewayCall& call);

}  // namespace llm_router
