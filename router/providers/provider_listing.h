// What there is to tell of providers, as text: those that are configured, and the types there are. Keys are
// never shown, only whether they are there. Pure; any thread.
#pragma once

#include <string>

#include "router/config/config.h"
#include "router/config/expand.h"

namespace llm_router {

// One line for each configured provider, then one for each type that none of them has: id, type, base URL,
// default model, where its key is looked for and whether it is there, and the page where keys are made.
std::string ProviderListing(const Config& config, const Environment& environment);

// README's table of types.
std::string ProviderReference();

}  // namespace llm_router
