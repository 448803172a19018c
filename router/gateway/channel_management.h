// What a KubeMQ server is asked on its internal channel: to list, create and delete channels. Loop thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/kubemq_server.h"

namespace llm_router {

// The body of the reply. The metadata of `request` is the verb, its tags say what; it may be made
// (kubemq_access.h). A queue that is deleted loses what waits in it; queues are listed with what they hold,
// also those that no door has seen.
Awaitable<absl::StatusOr<std::string>> ManageChannels(KubemqServer& server, Message request,
                                                      CallerPtr caller);

}  // namespace llm_router
