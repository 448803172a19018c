// The tables of stored events, and the checksums that their rows carry. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker_adapters/base/sqlite_model.h"
#include "broker_adapters/embedded/stored_file.h"

namespace llm_router {

const SqliteModel& StoredModel();

// Each over all that says whose a row is and what it means.
int64_t EventChecksum(int64_t channel, uint64_t sequence, int64_t stored_at, std::string_view record);
int64_t NameChecksum(int64_t channel, std::string_view name);
int64_t LastChecksum(int64_t channel, uint64_t last_sequence);
int64_t PlaceChecksum(const StoredPlace& place);

}  // namespace llm_router
