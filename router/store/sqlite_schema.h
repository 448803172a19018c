// The tables of the store's file, and the way from each version of them to the next.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "absl/status/status.h"

namespace llm_router {

// Brings the file to the present version, step by step, each in a transaction. data_loss for a file of a
// later version. Before the commit thread has it.
[[nodiscard]] absl::Status MigrateStore(SQLite::Database& database);

}  // namespace llm_router
