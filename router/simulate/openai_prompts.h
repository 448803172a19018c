// What OpenAI's text completions and embeddings refuse in a body
// (platform.openai.com/docs/api-reference/completions, .../embeddings). Pure.
#pragma once

#include "router/simulate/api.h"

namespace llm_router::simulate {

// `more`: fields that are known beside the API's own, sorted.
Verdict CheckOpenAiCompletion(const Json& body, std::span<const std::string_view> more);
Verdict CheckOpenAiEmbedding(const Json& body, std::span<const std::string_view> more);

// A prompt or an input: a text, a list of texts, a list of tokens, a list of such lists. Each text, and each
// list of tokens as "1 2 3", is one; anything else is none.
std::vector<std::string> PromptsOf(const Json& prompt);

}  // namespace llm_router::simulate
