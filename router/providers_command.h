// `llm-router providers`: whom a configuration can call, and whether a call works.
//
// Each reads the same configuration as `serve`, writes to stdout, its errors to stderr, and gives the
// process's exit code: 0; 1 when a provider does not work; 2 when it was told something wrong.
#pragma once

#include <string>

#include "router/app.h"

namespace llm_router {

// Every configured provider, and every type that could be.
int ListProviders(const ServeArguments& arguments);

// One tiny real call of the provider of that id, else of the type of that name with its usual key. `model`
// empty: the first that a route calls there, else the type's default.
int TestProvider(const ServeArguments& arguments, const std::string& name, const std::string& model);

// README's table, printed from the table of providers.
int PrintProviderReference();

}  // namespace llm_router
