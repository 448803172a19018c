// What the feeder and the outbox take out of the store, and what they say they have done with it. Commit
// thread only (store_sql.h).
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

std::vector<OutboxItem> OutboxDue(StoreSql& sql, int64_t most, int64_t now);

}  // namespace llm_router
