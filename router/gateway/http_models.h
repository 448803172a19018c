// GET /v1/models and /v1/models/{id}: what may stand as `model` in a request: every route's name, every
// model, and both joined by a slash. In OpenAI's shape, or in Anthropic's for who sends `anthropic-version`.
#pragma once

#include "router/gateway/http_call.h"

namespace llm_router {

Awaitable<void> ListModels(GatewayCall& call);
Awaitable<void> GetModel(GatewayCall& call);

}  // namespace llm_router
