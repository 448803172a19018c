// What callers and time do to a batch. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

// That there is one of this idempotency key, and with it what was asked before, is no failure: it is the
// batch.
contract::Batch MakeBatch(StoreSql& sql, const std::string& tenant, const std::string& id,
                          const contract::CreateBatch& ask, int64_t now);
absl::StatusOr<contract::Batch> FindBatchOf(StoreSql& sql, const std::string& tenant, const std::string& id);
absl::StatusOr<contract::Batch> Seal(StoreSql& sql, const std::string& tenant, const std::string& id,
                                     int64_t now);
absl::StatusOr<contract::Batch> CancelBatchOf(StoreSql& sql, const std::string& tenant, const std::string& id,
                                              int64_t now);
contract::BatchPage ListBatchesOf(StoreSql& sql, const std::string& tenant, const contract::ListBatches& ask);
int64_t ExpireBatchesDue(StoreSql& sql, int64_t now);
Store::Ended EndLinesOfEnding(StoreSql& sql, int64_t most, int64_t now);

}  // namespace llm_router
