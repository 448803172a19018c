// What the HTTP gateway sends back: values, failures in the shape that the caller's API has, and the replies
// of workers. Loop thread; each call ends the reply.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/gateway/http_call.h"

namespace llm_router {

// Headers that every reply to the call has.
HttpHeaders UsualHeaders(const GatewayCall& call);
// The body of an error as the caller's API has it.
std::string FailureBody(const GatewayCall& call, const absl::Status& why);

// Notes in the call's span what its caller gets; those below do.
void TellSpan(GatewayCall& call, const absl::Status& why, int status);
Awaitable<void> SendJson(GatewayCall& call, int status, std::string body, HttpHeaders more = {});
Awaitable<void> SendFailure(GatewayCall& call, absl::Status why);
// The same of a call that names something by its id: what the jobs service calls an invalid request is that
// there is no such thing, 404.
Awaitable<void> SendMissing(GatewayCall& call, absl::Status why);
// A worker's whole reply, executed or not.
Awaitable<void> SendReply(GatewayCall& call, absl::StatusOr<Reply> reply);

// Of what the door takes no more, or can't wait for.
absl::Status DoorCloses();
// The failure that a reply says, if it does.
absl::Status FailureOfReply(const absl::StatusOr<Reply>& reply);

}  // namespace llm_router
