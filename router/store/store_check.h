// Whether the store's file is whole.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "absl/status/status.h"

namespace llm_router {

// Makes the tables of a new file. Damage (base/sqlite.h) when the file is not what was written to it, as far
// as one that a start reads through (base/sqlite_model.h) shows it; data_loss for one of a later version.
// Before the commit thread has it.
absl::Status CheckStore(SQLite::Database& database);

}  // namespace llm_router
