// Salvage of stored events: what can still be read of a damaged file of them, into a new one.
//
// Reads around what can't be read (base/salvaged_rows.h). A channel whose name is lost is named again by its
// events. Pure but for the two files.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace llm_router {

// What was kept and what was lost, in words (base/sqlite_repair.h).
std::string SalvageEvents(SQLite::Database& damaged, SQLite::Database& fresh);

}  // namespace llm_router
