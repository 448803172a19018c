// EffectiveSettings and WrittenSettings: a configuration as a tree to be shown, its secrets as "***".
//
// Pure; any thread.
#pragma once

#include "router/config/binder.h"
#include "router/config/expand.h"
#include "router/config/tree.h"

namespace llm_router {

// Every value in force, in the table's order, each with its origin: a line of the file, a variable, --set,
// "default".
SettingNode EffectiveSettings(const SettingNode& root, const Bound& bound, const Environment& environment);

// What a file says, in its own order. A secret that is only a ${NAME} stays as it is; what the table does not
// know, and may hold one, does not.
SettingNode WrittenSettings(const SettingNode& root);

}  // namespace llm_router
