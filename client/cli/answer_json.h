// An answer and a failure as JSON, for --json. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "client/client.h"

namespace llm_router::cli {

// {"response", "model", "provider", "usage", "attempts", "warnings"}
nlohmann::ordered_json ToJson(const client::Answer& answer);
// {"error": {"message", "code", "retry_after_ms"?}}
nlohmann::ordered_json ToJson(const client::Error& error);
// On one line; what is not UTF-8 in it is replaced.
std::string OneLine(const nlohmann::ordered_json& json);

}  // namespace llm_router::cli
