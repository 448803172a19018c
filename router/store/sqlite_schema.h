// The tables of the store's file, and the way from each version of them to the next.
#pragma once

#include "broker_adapters/base/sqlite_model.h"

namespace llm_router {

const SqliteModel& StoreModel();

}  // namespace llm_router
