// The table of settings as documentation: the table in README, and the example file. Pure; any thread.
#pragma once

#include <string>

namespace llm_router {

// A Markdown table: setting, default, values, what it is.
std::string SettingsReference();

// A configuration that names every setting, with its help and its default. What is optional and has no
// default is commented out.
std::string SettingsExample();

}  // namespace llm_router
