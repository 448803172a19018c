// Overrides: what the environment (LLM_ROUTER_LISTEN_GRPC) and --set (listen.grpc=0) change in a tree of
// settings.
//
// Pure; any thread. A group, map or list is given as YAML: --set 'routes={ ... }'. --set may name new
// entries; a variable only what is there, since upper case does not tell the name of a new one.
#pragma once

#include <span>
#include <string>

#include "router/config/expand.h"
#include "router/config/problems.h"
#include "router/config/tree.h"

namespace llm_router {

void ApplyEnvironment(SettingNode& root, const Environment& environment, Problems& problems);
void ApplySet(SettingNode& root, std::span<const std::string> assignments, Problems& problems);

}  // namespace llm_router
