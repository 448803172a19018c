// What is read of the store for metrics: by indexes alone, however much lies there. Commit thread only
// (store_sql.h).
#pragma once

#include "router/store/store_figures.h"
#include "router/store/store_sql.h"

namespace llm_router {

StoreFigures ReadFigures(StoreSql& sql);

}  // namespace llm_router
