// A streamed reply over HTTP: its pieces as server-sent events, each sent as it comes.
//
// The head goes out with the first piece; a failure before it is an ordinary HTTP error, one after it an
// error frame of the caller's API. Who waits long is shown, by pings, that the connection lives.
#pragma once

#include "router/gateway/http_call.h"

namespace llm_router {

// A frame that is no part of the reply.
std::string PingFrame(std::string_view dialect);
// Head of a reply in events.
HttpHeaders EventStreamHeaders(const GatewayCall& call);

Awaitable<void> AskStream(GatewayCall& call, Query query, Milliseconds linger);

}  // namespace llm_router
