// SalvageFiles: the files of a damaged store that are whole. Commit thread, or before it runs.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>

#include "broker_adapters/base/salvaged_tables.h"

namespace llm_router {

// Copies them into `fresh`, which has the tables and a transaction open. How many rows are lost. A file of
// which a piece is lost is lost as a whole: it is uploaded again.
int64_t SalvageFiles(SalvagedTables& damaged, SQLite::Database& fresh);

}  // namespace llm_router
