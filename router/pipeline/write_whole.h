// WriteWhole: a reply that came as a whole, for a caller that wants a stream. Loop thread.
#pragma once

#include "absl/status/status.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

// Writes it to the exchange's sink, as frames of the caller's dialect.
Awaitable<absl::Status> WriteWhole(Exchange& exchange, const ChatReply& reply);

}  // namespace llm_router
