// The WebSocket /v1/stream: questions in, their answers piece by piece out, many at a time.
//
//   > {"type": "request", "id": "q1", "model": "openai", "input": "Tell me a story"}
//     or in place of "input": "dialect" and "body", a whole request of that API
//   < {"type": "chunk", "id": "q1", "content": "...", "seq": 0, "resume_id": "..."}
//   < {"type": "complete", "id": "q1", "full_response": "..."}      or {"type": "error", "id", "error":
//   {...}} > {"type": "cancel", "id": "q1"} > {"type": "resume", "id": resume_id, "after": 0}      by any
//   connection, to any gateway
//
// A stream whose connection ended lives on for ten seconds, in which it can be resumed after the last `seq`
// that came; its chunks then have the resume_id as their id.
#pragma once

#include "router/gateway/http_call.h"

namespace llm_router {

Awaitable<void> OpenSocket(GatewayCall& call);

}  // namespace llm_router
