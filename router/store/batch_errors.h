// The bad lines of batches. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <vector>

#include "proto/batch.h"
#include "router/store/store_sql.h"

namespace llm_router {

// Over a row of theirs.
uint32_t ChecksumOf(int64_t batch, const contract::BatchError& error);

void AddBatchError(StoreSql& sql, int64_t batch, const contract::BatchError& error);
// Those whose row is damaged are left out, and the log says so. At most `most` of those after line `after`,
// in order.
std::vector<contract::BatchError> ErrorsOf(StoreSql& sql, int64_t batch, int64_t after, int64_t most);

}  // namespace llm_router
