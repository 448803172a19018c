// OpenAI's Batch API over the jobs service: any route and model, and every endpoint that asks a model as the
// url of lines.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "proto/batch.h"
#include "router/gateway/http_call.h"

namespace llm_router {

// Answered when every line was read: a batch with bad lines is `failed` then.
Awaitable<void> CreateBatch(GatewayCall& call);
Awaitable<void> ListBatches(GatewayCall& call);
Awaitable<void> GetBatch(GatewayCall& call);
Awaitable<void> CancelBatch(GatewayCall& call);

Awaitable<absl::StatusOr<contract::Batch>> FindBatch(GatewayCall& call, std::string id);

}  // namespace llm_router
