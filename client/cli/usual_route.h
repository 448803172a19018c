// UsualRoute: which route is asked when none is named.
#pragma once

#include <string>
#include <vector>

#include "client/client.h"

namespace llm_router::cli {

inline constexpr const char* kUsualRoute = "openai";

// openai if somebody serves it, else the only route there is; kUnknownRoute, naming them, where there are
// several. Listens to heartbeats, which takes over a second.
client::Result<std::string> UsualRoute(client::Client& client);

}  // namespace llm_router::cli
