#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/anthropic_messages.h"

namespace llm_router::anthropic_messages {

absl::Status ParseThinking(const Node& block, std::vector<Part>& parts) {
  ThinkingPart thought;
  if (block.Type() == "redacted_thinking") {
    RETURN_IF_ERROR(block.Require("data", thought.redacted));
  } else {
    RETURN_IF_ERROR(block.Read("thinking", thought.text));
    RETURN_IF_ERROR(block.Read("signature", thought.signature));
  }
  parts.emplace_back(std::move(thought));
  return absl::OkStatus();
}

Json RenderThinking(const ThinkingPart& thought) {
  if (!thought.redacted.empty()) return {{"type", "redacted_thinking"}, {"data", thought.redacted}};
  return {{"type", "thinking"}, {"thinking", thought.text}, {"signature", thought.signature}};
}

}  // namespace llm_router::anthropic_messages
