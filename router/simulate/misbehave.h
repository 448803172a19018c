// Carrying a fault out: sending an answer in the wrong way that was asked for. Loop thread.
#pragma once

#include "absl/status/status.h"
#include "router/net/http_server.h"
#include "router/simulate/fault_plan.h"

namespace llm_router::simulate {

// Sends `good`, the answer to be spoilt, as `misbehaviour` says. Fails when the client went away first.
// Of a stream that is spoilt as a whole, `good` is all of it.
Awaitable<absl::Status> SendSpoilt(Misbehaviour misbehaviour, HttpResponse good, HttpResponder& responder);

// Waits until the client goes away, and fails.
Awaitable<absl::Status> Hang();

}  // namespace llm_router::simulate
