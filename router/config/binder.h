// Bind: a tree of settings, held against the table and turned into a Config.
//
// Pure; any thread. Everything wrong is added to `problems`; the Config is whole only when nothing was.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "router/config/config.h"
#include "router/config/expand.h"
#include "router/config/problems.h"
#include "router/config/tree.h"

namespace llm_router {

struct Bound {
  Bound() = default;

  Config config;
  std::map<std::string, std::string, std::less<>> origins;  // of every path that somebody wrote
  std::map<std::string, std::string, std::less<>> shown;    // every value in force, by path; secrets left out
};

Bound Bind(const SettingNode& root, const Environment& environment, Problems& problems);

}  // namespace llm_router
