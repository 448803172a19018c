// What a process of ours sets once in gRPC, before its first channel or server. Idempotent; any thread.
//
// gRPC's log goes to ours, at debug: what matters to a user is said in a sentence where it happens. The
// search for deadlocks that Debian's Abseil makes at every lock of gRPC's is left out: it costs a twentieth
// of a query.
#pragma once

namespace llm_router {

void SetUpGrpc();

// For a process whose gRPC port speaks TLS: handshakes that fail are told at info, one a second. Any thread.
void TellFailedHandshakes();

}  // namespace llm_router
