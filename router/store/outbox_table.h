// The outbox: which results are still to be sent to the queue their job named, when, and after how many
// tries. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <vector>

#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

// `due`: Unix ms. A row of the job that is there is replaced.
void AddToOutbox(StoreSql& sql, int64_t job, int64_t due);
void PutOffInOutbox(StoreSql& sql, int64_t job, int64_t attempts, int64_t due);
void TakeFromOutbox(StoreSql& sql, int64_t job);
// At most `most`, the oldest first. One whose row is damaged comes too, within 10 minutes whatever the row
// says, with no tries, and the log says so: a result may come twice, so that none is lost. Rows of jobs that
// have nothing to send are dropped.
std::vector<OutboxItem> OutboxDue(StoreSql& sql, int64_t most, int64_t now);
// Over a row.
uint32_t OutboxChecksum(int64_t job, int64_t due, int64_t attempts);

}  // namespace llm_router
