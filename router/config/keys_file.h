// AddKeysFile: the keys of a file of their own, added to those that stand in the configuration.
//
// That file is a list of entries like `keys`, or a map that holds only `keys`. Blocks on disk.
#pragma once

#include <filesystem>

#include "router/config/expand.h"
#include "router/config/problems.h"
#include "router/config/tree.h"

namespace llm_router {

// Reads the file that `root`'s keys_file names, if it names one, relative to `directory`.
void AddKeysFile(SettingNode& root, const std::filesystem::path& directory, const Environment& environment,
                 Problems& problems);

}  // namespace llm_router
