// StreamCall: one provider call whose reply goes to the exchange's sink as it arrives. Loop thread.
//
// Nothing is written before the first real output, so that until then another target may be tried; from then
// on the exchange says `output_begun`, and a failure is an error frame of the caller's dialect too. Cancelled
// with its coroutine; the provider call is aborted then.
#pragma once

#include "absl/status/statusor.h"
#include "router/net/http_client.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

// `theirs` is the dialect of the call. The reply that is left to send when the stream is over: whole, unless
// the caller said `whole: no`.
Awaitable<absl::StatusOr<Reply>> StreamCall(HttpClient& http, Exchange& exchange, const Dialect& theirs,
                                            HttpCall call);

}  // namespace llm_router
