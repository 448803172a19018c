// EstimateTokens: about how many tokens the input of a chat is, where nobody counts them. Pure; any thread.
#pragma once

#include <cstdint>

#include "router/dialects/chat.h"

namespace llm_router {

// By the usual rule of thumb: one for four bytes of text, three more a message, and 85 an image.
int64_t EstimateTokens(const Chat& chat);

}  // namespace llm_router
