// The codecs by name, for the registry: one per wire format. Stateless singletons; any thread.
#pragma once

#include "router/dialects/dialect.h"

namespace llm_router {

const Dialect& AnthropicCountTokens();
const Dialect& AnthropicMessages();
const Dialect& OpenAiChat();
const Dialect& OpenAiCompletions();
const Dialect& OpenAiEmbeddings();
const Dialect& PlainText();

}  // namespace llm_router
