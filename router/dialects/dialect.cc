#include "router/dialects/dialect.h"

#include <array>

#include "router/dialects/codecs.h"

namespace llm_router {

std::span<const Dialect* const> AllDialects() {
  static const std::array kDialects = {&AnthropicCountTokens(), &AnthropicMessages(), &OpenAiChat(),
                                       &OpenAiCompletions(),    &OpenAiEmbeddings(),  &PlainText()};
  return kDialects;
}

const Dialect* FindDialect(std::string_view name) {
  for (const Dialect* dialect : AllDialects()) {
    if (dialect->name() == name) return dialect;
  }
  return nullptr;
}

}  // namespace llm_router
