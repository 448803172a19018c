// What Anthropic's messages refuse in a body (docs.anthropic.com/en/api/messages). Pure.
#pragma once

#include "router/simulate/api.h"

namespace llm_router::simulate {

// `more`: fields that are known beside the API's own, sorted.
Verdict CheckAnthropicBody(const Json& body, std::span<const std::string_view> more);
// The same of /v1/messages/count_tokens.
Verdict CheckAnthropicCountBody(const Json& body, std::span<const std::string_view> more);

}  // namespace llm_router::simulate
