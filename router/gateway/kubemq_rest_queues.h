// The queue calls of KubeMQ's REST API with one answer. Each sends exactly one reply. What is wrong with a
// request or a message the data says, in an envelope that is OK, as on the gRPC wire.
#pragma once

#include "router/gateway/kubemq_rest_state.h"

namespace llm_router::rest_queues {

Awaitable<void> Send(RestCall call);
Awaitable<void> SendBatch(RestCall call);
Awaitable<void> Receive(RestCall call);
Awaitable<void> AckAll(RestCall call);
// Takes a body of JSON, but needs none.
Awaitable<void> Info(RestCall call);

}  // namespace llm_router::rest_queues
