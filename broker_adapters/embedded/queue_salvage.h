// Salvage of queues: what can still be read of a damaged file of queues, into a new one.
//
// Reads around what can't be read (base/salvaged_rows.h). A queue whose name is lost is named again by its
// messages. Pure but for the two files.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace llm_router {

// What was kept and what was lost, in words (base/sqlite_repair.h).
std::string SalvageQueues(SQLite::Database& damaged, SQLite::Database& fresh);

}  // namespace llm_router
