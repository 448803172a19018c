// HttpQuery: a request to the HTTP gateway as a query on its route's channel. Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/gateway/http_call.h"

namespace llm_router {

// The route that `model` means to the caller. Unknown ones wait for the beat of a worker that is just ready,
// and right after the door opened until every worker has had the time to tell. Fault unknown_model,
// unknown_route (nobody serves anything) or permission_denied, which is noted.
Awaitable<absl::StatusOr<std::string>> RouteFor(GatewayState& state, CallerPtr caller, std::string model,
                                                std::string remote);

// Returns when routes are known, or every worker has had the time to tell of some.
Awaitable<void> AwaitRoutes(GatewayState& state);

// How long the caller waits: what `x-llm-router-timeout-ms` or its SDK's own header says; fault
// invalid_request.
absl::StatusOr<Milliseconds> PatienceOf(const HttpHeaders& headers);
// `x-llm-router-linger-ms`: how long a stream stays when its reader is gone.
absl::StatusOr<Milliseconds> LingerOf(const HttpHeaders& headers, Milliseconds fallback);

// The id of a request, as it came, cleaned, or a fresh one.
std::string RequestIdOf(const HttpHeaders& headers);

// The tags that its headers give a query or job.
Tags TagsOf(const HttpHeaders& headers, std::string_view dialect, const Caller& caller,
            std::string_view request_id);
// One to be asked now, with an id of its own.
Query QueryFor(std::string_view route, std::string body, Tags tags, TimePoint deadline);

// Tells the workers that nobody waits for it any more: whoever has it drops it, or a stream when its linger
// is over.
void TellGone(Broker& broker, std::string_view query, std::string_view tenant, TimePoint deadline);

}  // namespace llm_router
