// MakeCallerReply: an answer's body with the tags and the shape that the caller's dialect has for it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router/pipeline/exchange.h"

namespace llm_router {

// `body` is of the caller's dialect; of the dialect text it is the bare text.
Reply MakeCallerReply(const Exchange& exchange, std::string_view provider, std::string_view model,
                      const std::optional<ChatUsage>& usage, std::string body);

}  // namespace llm_router
