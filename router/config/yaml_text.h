// ToYaml: a tree of settings as the text of a file that reads back as the same tree. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "router/config/tree.h"

namespace llm_router {

// With origins, each value has its own behind it as a comment.
std::string ToYaml(const SettingNode& root, bool with_origins);

// One value: bare where YAML reads it back as it is, else in double quotes.
std::string YamlScalar(std::string_view text);

}  // namespace llm_router
