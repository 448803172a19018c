// The WebSockets of KubeMQ's REST API. What is wrong with the parameters is answered before the upgrade, by
// HTTP 400; once the upgrade is through, the subscription is in force.
#pragma once

#include "router/gateway/kubemq_rest_state.h"

namespace llm_router::rest_sockets {

// Events as they come; what a subscriber is too slow to take is dropped and counted.
Awaitable<void> SubscribeEvents(RestCall call);
// Queries or commands as they come, at most 1,024 unanswered; answered by any door's SendResponse. Its end is
// worker_lost to who waits for an answer.
Awaitable<void> SubscribeRequests(RestCall call);
// An event a text frame, a Result for each.
Awaitable<void> SendStream(RestCall call);
// StreamQueueMessage (queue_visit.h): a request a text frame, an answer for each. The server closes it after
// the last one.
Awaitable<void> QueueStream(RestCall call);

}  // namespace llm_router::rest_sockets
