// The rows of batches. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/batch.h"
#include "router/store/job_counts.h"
#include "router/store/store_sql.h"

namespace llm_router {

// Why a batch ends before its lines are done.
enum class BatchEnding { kNone, kExpired, kCancelled };

struct BatchRow {
  BatchRow() = default;

  int64_t seq = 0;
  contract::Batch batch;  // without its errors
  BatchEnding ending = BatchEnding::kNone;
  int64_t at_once = 0;  // lines fed at a time, at most; 0: no bound
  int64_t next_line = 1;
  int64_t bytes = 0;
  int64_t fed = 0;
};

// Over what never changes of a row.
int64_t BatchChecksum(std::string_view id, std::string_view tenant, std::string_view options, int64_t at_once,
                      std::string_view idempotency_key);

std::optional<BatchRow> BatchBySeq(StoreSql& sql, int64_t seq);
// Fault invalid_request when the tenant has no such batch.
absl::StatusOr<BatchRow> BatchOfTenant(StoreSql& sql, std::string_view tenant, std::string_view id);
std::string BatchId(StoreSql& sql, int64_t seq);

// What the feeder and the journal ask of a batch, without the rest.
struct BatchGate {
  BatchGate() = default;

  bool is_open = false;  // its lines may run
  int64_t room = 0;      // how many more may be fed now
};
BatchGate GateOf(StoreSql& sql, int64_t seq);

void CountInBatch(StoreSql& sql, int64_t seq, const JobCounts& change);
// Ends it when all its lines have.
void CompleteBatch(StoreSql& sql, int64_t seq, int64_t now);

}  // namespace llm_router
