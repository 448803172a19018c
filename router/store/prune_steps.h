// What is old goes, bit by bit. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>

#include "router/store/store_sql.h"

namespace llm_router {

int64_t PruneOld(StoreSql& sql, int64_t before, int64_t most);

}  // namespace llm_router
