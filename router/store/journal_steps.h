// What the journal does to a job: a run begins, ends, or is found dead. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

BeginAnswer BeginARun(StoreSql& sql, const BeginRun& begin, int64_t now);
contract::FinishVerdict FinishARun(StoreSql& sql, const FinishRun& finish, int64_t now);
std::vector<std::string> WorkersWithRuns(StoreSql& sql);
int64_t RequeueRuns(StoreSql& sql, const std::string& worker, const JobPolicies& policies, int64_t most,
                    int64_t now);
int64_t FailOverdueJobs(StoreSql& sql, int64_t most, int64_t now);

}  // namespace llm_router
