// LogQuery: one line of JSON about a query that ended, at level info: who asked what of whom, what it cost
// and how long it took. No body is in it, and no secret. Loop thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

// Nothing is written where the log's level is above info. `failure`: why it has no answer; OK: it has one.
void LogQuery(const Exchange& exchange, const absl::Status& failure, double seconds, int64_t queue_ms);

// The line. README.md of router/ says what its members mean.
std::string QueryLine(const Exchange& exchange, const absl::Status& failure, double seconds,
                      int64_t queue_ms);

}  // namespace llm_router
