// Salvage of the store: what can still be read of a damaged file of jobs, into a new one.
//
// Reads around what can't be read (base/salvaged_rows.h). Kept are jobs and batches whose checksums hold,
// lines of batches that are kept, and queries, results and failures of jobs that are. Counts are counted
// anew. A job that was over and whose result is lost has failed with storage_failed; a batch that lost lines
// says so. Reads the clock; pure but for that and the two files.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace llm_router {

// What was kept and what was lost, in words (base/sqlite_repair.h).
std::string SalvageStore(SQLite::Database& damaged, SQLite::Database& fresh);

}  // namespace llm_router
