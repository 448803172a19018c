// What callers do to a single job. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

contract::Job SubmitJobOnce(StoreSql& sql, const NewJob& job, int64_t now);
absl::StatusOr<contract::Job> FindJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                      bool with_reply);
contract::JobPage ListJobsOf(StoreSql& sql, const std::string& tenant, const contract::ListJobs& ask);
absl::StatusOr<CancelAnswer> CancelJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                       int64_t now);
absl::StatusOr<contract::Job> RetryJob(StoreSql& sql, const std::string& tenant, const std::string& which,
                                       int64_t now);

}  // namespace llm_router
