// Jobs over HTTP: `Prefer: respond-async` makes one of any request to a model; then
//   GET /v1/jobs/{id}         its state, its place in the queue, and its result once it is over,
//   DELETE /v1/jobs/{id}      cancels it,
//   GET /v1/jobs/{id}/events  follows its states as server-sent events until it is over.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/http_call.h"

namespace llm_router {

Awaitable<void> SubmitAsJob(GatewayCall& call, std::string route, Tags tags);
Awaitable<void> GetJob(GatewayCall& call);
Awaitable<void> CancelJob(GatewayCall& call);
Awaitable<void> FollowJob(GatewayCall& call);

// Asks the jobs service, for the caller's tenant; the body of its answer, or why there is none.
Awaitable<absl::StatusOr<std::string>> AskJobs(GatewayCall& call, std::string question);

}  // namespace llm_router
