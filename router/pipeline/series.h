// What an exchange counts in. Loop thread.
#pragma once

#include <chrono>

#include "router/pipeline/exchange.h"
#include "router/telemetry/query_metrics.h"

namespace llm_router {

// What it asks for, as far as decode knows.
Operation OperationOf(const Exchange& exchange);

// By its target, or by its route alone as long as it has none. Null: nothing counts it.
QuerySeries* SeriesOf(const Exchange& exchange);

inline double SecondsSince(TimePoint start) { return std::chrono::duration<double>(Now() - start).count(); }

}  // namespace llm_router
