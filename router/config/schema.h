// SettingsSchema: the table of settings as a JSON Schema (draft 2020-12), for editors. Pure; any thread.
//
// It is about the form of a file: what needs more than one setting to be known (that a target's provider is
// defined) is for `config check`. Wherever a value stands, so may a ${NAME}.
#pragma once

#include <string>

namespace llm_router {

std::string SettingsSchema();

}  // namespace llm_router
