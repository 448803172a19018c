// What a process of ours sets once in gRPC, before its first channel or server. Idempotent; any thread.
//
// gRPC's log goes to ours, at debug: what matters to a user is said in a sentence where it happens. The
// search for deadlocks that Debian's Abseil makes at every lock of gRPC's is left out: it costs a twentieth
// of a query.
#pragma once

namespace llm_router {

void SetUpGrpc();

}  // namespace llm_router
