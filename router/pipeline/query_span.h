// The spans of an exchange: the query's own at this worker, and one for each attempt below it. No body is in
// them, and no secret. Loop thread.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "router/net/http_headers.h"
#include "router/pipeline/exchange.h"
#include "router/telemetry/span.h"

namespace llm_router {

// Below what the query's tags name, by the tracer of its route.
Span BeginQuerySpan(const Exchange& exchange);
// Ends the exchange's span with what became of it.
void EndQuerySpan(Exchange& exchange, const absl::StatusOr<Reply>& result, int64_t queue_ms);

// Of a call of the exchange's target, which is set; its attempts count this one already.
Span BeginAttemptSpan(const Exchange& exchange);
// The trace goes on at the provider, unless `headers` say otherwise.
void AddTraceHeaders(const Exchange& exchange, const Span& attempt, HttpHeaders& headers);
void EndAttemptSpan(Span& attempt, const absl::StatusOr<Reply>& result);

}  // namespace llm_router
