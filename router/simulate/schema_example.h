// A value that satisfies a JSON schema, as far as the keywords that structured output uses go. Pure.
#pragma once

#include <string>

#include "router/simulate/json_view.h"

namespace llm_router::simulate {

// Strings in it are `text`, numbers its length.
Json ExampleOf(const Json& schema, const std::string& text);

}  // namespace llm_router::simulate
