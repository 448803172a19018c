// What OpenAI's chat completions refuse in a body (platform.openai.com/docs/api-reference/chat). Pure.
#pragma once

#include "router/simulate/api.h"

namespace llm_router::simulate {

Verdict CheckOpenAiBody(const Json& body);

}  // namespace llm_router::simulate
