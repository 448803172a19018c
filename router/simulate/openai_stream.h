// Chat completions as chunks (platform.openai.com/docs/api-reference/chat-streaming). Pure but for ids and
// times.
#pragma once

#include <memory>

#include "router/simulate/stream_writer.h"

namespace llm_router::simulate {

// Both outlive the writer.
std::unique_ptr<StreamWriter> NewOpenAiStream(const Conversation& conversation, const Answer& answer);

}  // namespace llm_router::simulate
