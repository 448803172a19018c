// StoreFigures: what waits in the store and what is open there, for metrics. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/batch.h"

namespace llm_router {

// Since when (Unix ms) the queued job of a route that was submitted first has been there; of those that were
// tried before, one that is due later may be older.
struct OldestQueued {
  OldestQueued() = default;

  std::string route;
  int64_t created = 0;
};

// A tenant's batches in one state that is not final.
struct OpenBatches {
  OpenBatches() = default;

  std::string tenant;
  contract::BatchState state = contract::BatchState::kValidating;
  int64_t batches = 0;
  contract::RequestCounts lines;  // of all of them
};

struct StoreFigures {
  StoreFigures() = default;

  std::vector<OldestQueued> oldest;  // of routes that have a queued job
  std::vector<OpenBatches> batches;
};

}  // namespace llm_router
