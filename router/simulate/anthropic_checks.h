// What Anthropic's messages refuse in a body (docs.anthropic.com/en/api/messages). Pure.
#pragma once

#include "router/simulate/api.h"

namespace llm_router::simulate {

Verdict CheckAnthropicBody(const Json& body);

}  // namespace llm_router::simulate
