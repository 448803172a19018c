// The tables of the embedded broker's queues, and whether a file has them as they were made.
//
// On the thread that uses the file.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace llm_router {

// Makes the tables in a new file. Otherwise looks whether they are whole: damage (base/sqlite.h) when they
// are not, data_loss when a later version of this program made them. A file of up to 32 MiB is read through.
absl::Status MakeQueueTables(SQLite::Database& database);

// Whether its list of tables is whole.
bool HasQueueTables(SQLite::Database& database);

// The first page of a file of `pages` pages with these tables: where each begins.
std::string FirstPageOf(uint32_t pages);

}  // namespace llm_router
