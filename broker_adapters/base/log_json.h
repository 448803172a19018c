// The log's lines for programs: a JSON object each, beside those for people (log.h), which begin with the
// time. Safe to call from any thread.
#pragma once

#include <string_view>

#include "broker_adapters/base/log.h"

namespace llm_router::log {

// Written as it is, on a line of its own; dropped as any line of its level is.
void WriteJson(Level level, std::string_view object);

}  // namespace llm_router::log
