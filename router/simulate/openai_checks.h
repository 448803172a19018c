// What OpenAI's chat completions refuse in a body (platform.openai.com/docs/api-reference/chat). Pure.
#pragma once

#include "router/simulate/api.h"

namespace llm_router::simulate {

// `more`: fields that are known beside the API's own, sorted.
Verdict CheckOpenAiBody(const Json& body, std::span<const std::string_view> more);

}  // namespace llm_router::simulate
