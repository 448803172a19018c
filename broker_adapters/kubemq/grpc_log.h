// Makes gRPC write to our log, at debug: what matters to a user is said in a sentence where it happens.
// Idempotent; any thread.
#pragma once

namespace llm_router {

void SendGrpcLogToOurs();

}  // namespace llm_router
