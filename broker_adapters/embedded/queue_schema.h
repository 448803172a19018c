// The tables of the embedded broker's queues.
#pragma once

#include "broker_adapters/base/sqlite_model.h"

namespace llm_router {

const SqliteModel& QueueModel();

}  // namespace llm_router
