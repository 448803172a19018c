// `llm-router config`: what a configuration says, comes to and gets wrong, and what there is to say in one.
//
// Each writes to stdout, its errors to stderr, and gives the process's exit code: 0, 1 for a configuration
// that can't be used.
#pragma once

#include "router/app.h"

namespace llm_router {

// What the file says; with `effective`, every value in force and where it came from.
int PrintConfig(const ServeArguments& arguments, bool effective);

// All that is wrong with it; else what will not work all the same.
int CheckConfig(const ServeArguments& arguments);

// Printed from the table of settings: a JSON Schema, README's table, the example file.
int PrintSchema();
int PrintReference();
int PrintExample();

}  // namespace llm_router
