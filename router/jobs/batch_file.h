// FillFromFile: the lines of a batch, read from an uploaded file. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "broker_adapters/base/awaitable.h"
#include "proto/batch.h"
#include "proto/contract.h"
#include "router/store/store.h"

namespace llm_router {

// Appends every line of its options' input file to `batch`, which is to be sealed afterwards. Fault
// invalid_request where there is no such file, too_large where it has too many lines.
Awaitable<absl::Status> FillFromFile(Store& store, std::string tenant, contract::Batch batch,
                                     std::vector<contract::RouteModels> routes,
                                     std::function<int64_t()> unix_ms);

}  // namespace llm_router
