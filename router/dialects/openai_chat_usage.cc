#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::openai_chat {

absl::Status ParseUsage(const Node& root, std::optional<ChatUsage>& out) {
  const auto usage = root.Find("usage");
  if (!usage) return absl::OkStatus();
  if (!usage->IsObject()) return usage->Wrong("must be an object");
  std::optional<int64_t> input, output;
  ChatUsage& counts = out.emplace();
  RETURN_IF_ERROR(ReadCount(*usage, "prompt_tokens", input));
  RETURN_IF_ERROR(ReadCount(*usage, "completion_tokens", output));
  counts.input_tokens = input.value_or(0);
  counts.output_tokens = output.value_or(0);
  if (const auto details = usage->Find("prompt_tokens_details"))
    RETURN_IF_ERROR(ReadCount(*details, "cached_tokens", counts.cache_read_tokens));
  if (const auto details = usage->Find("completion_tokens_details"))
    RETURN_IF_ERROR(ReadCount(*details, "reasoning_tokens", counts.reasoning_tokens));
  return absl::OkStatus();
}

Json RenderUsage(const ChatUsage& usage, Warnings& warnings) {
  Json json = {{"prompt_tokens", usage.input_tokens},
               {"completion_tokens", usage.output_tokens},
               {"total_tokens", usage.input_tokens + usage.output_tokens}};
  if (usage.cache_read_tokens) json["prompt_tokens_details"] = {{"cached_tokens", *usage.cache_read_tokens}};
  if (usage.reasoning_tokens)
    json["completion_tokens_details"] = {{"reasoning_tokens", *usage.reasoning_tokens}};
  if (usage.cache_write_tokens.value_or(0) > 0) AddNote(warnings, "cache_creation_input_tokens dropped");
  return json;
}

}  // namespace llm_router::openai_chat
