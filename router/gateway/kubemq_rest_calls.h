// The calls of KubeMQ's REST API that are answered at once or by one reply. Each sends exactly one reply.
#pragma once

#include "router/gateway/kubemq_rest_state.h"

namespace llm_router::rest_calls {

Awaitable<void> Hello(RestCall call);
Awaitable<void> Ping(RestCall call);
Awaitable<void> SendRequest(RestCall call);
Awaitable<void> SendResponse(RestCall call);
Awaitable<void> SendEvent(RestCall call);

}  // namespace llm_router::rest_calls
