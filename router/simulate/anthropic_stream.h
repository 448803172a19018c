// Messages as events (docs.anthropic.com/en/docs/build-with-claude/streaming). Pure but for ids.
#pragma once

#include <memory>
#include <string>

#include "router/simulate/json_view.h"
#include "router/simulate/stream_writer.h"

namespace llm_router::simulate {

// Both outlive the writer.
std::unique_ptr<StreamWriter> NewAnthropicStream(const Conversation& conversation, const Answer& answer);

// A message without content and without an end: the whole one and message_start share it.
Json AnthropicMessage(const Conversation& conversation);
std::string AnthropicStopReason(const Answer& answer);
Json AnthropicUsage(const Answer& answer);

}  // namespace llm_router::simulate
