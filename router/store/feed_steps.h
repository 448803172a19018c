// What the feeder takes out of the store, and what it says it has done with it. Commit thread only
// (store_sql.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

std::vector<RouteCount> CountRoutes(StoreSql& sql);
FeedPage PickToFeed(StoreSql& sql, const std::string& route, const FeedLimits& limits, int64_t now);
void MarkAsFed(StoreSql& sql, const std::vector<FeedJob>& jobs, int64_t now);
void FailRefused(StoreSql& sql, const FeedJob& job, const absl::Status& why, int64_t now);
int64_t FeedAgain(StoreSql& sql, const std::string& route, int64_t most);

}  // namespace llm_router
