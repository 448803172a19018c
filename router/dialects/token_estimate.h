// About how many tokens a chat has, for targets that can't count. Pure; any thread.
#pragma once

#include <cstdint>

#include "router/dialects/chat.h"

namespace llm_router {

// Four ASCII characters, or one other, make a token; an image is 1,600, the most that Anthropic counts for
// one; a message has three more and a tool eight. English prose comes out within a fifth of what providers
// count.
int64_t EstimateTokens(const Chat& chat);

}  // namespace llm_router
