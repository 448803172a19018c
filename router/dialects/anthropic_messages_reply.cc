#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::anthropic_messages {
namespace {

Finish FinishNamed(std::string_view reason) {
  if (reason == "end_turn") return Finish::kStop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Finish::kLength;
  if (reason == "stop_sequence") return Finish::kStopSequence;
  if (reason == "tool_use") return Finish::kToolCalls;
  if (reason == "pause_turn") return Finish::kPause;
  if (reason == "refusal") return Finish::kRefusal;
  return Finish::kUnknown;
}

std::string_view NameOf(const ChatReply& reply, Warnings& warnings) {
  switch (FinishOf(reply)) {
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCalls:
      return "tool_use";
    case Finish::kContentFilter:
    case Finish::kRefusal:
      return "refusal";
    case Finish::kStopSequence:
      return "stop_sequence";
    case Finish::kPause:
      return "pause_turn";
    case Finish::kUnknown:
      AddNote(warnings, "unknown finish reason sent as end_turn");
      return "end_turn";
    case Finish::kStop:
      break;
  }
  return "end_turn";
}

absl::Status ParseBlock(const Node& block, ChatReply& reply) {
  const std::string_view type = block.Type();
  if (type.empty()) return block.Wrong("must be an object with a type");
  if (type == "tool_use") return ParseToolUse(block, reply.parts);
  if (type != "text") {
    AddNote(reply.unknown, fmt::format("content of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }
  TextPart text;
  RETURN_IF_ERROR(block.Read("text", text.text));
  if (block.Find("citations")) AddNote(reply.unknown, "citations");
  reply.parts.emplace_back(std::move(text));
  return absl::OkStatus();
}

absl::Status ParseUsage(const Node& root, ChatReply& reply) {
  const auto usage = root.Find("usage");
  if (!usage) return absl::OkStatus();
  if (!usage->IsObject()) return usage->Wrong("must be an object");
  std::optional<int64_t> fresh, output;
  ChatUsage& counts = reply.usage.emplace();
  RETURN_IF_ERROR(ReadCount(*usage, "input_tokens", fresh));
  RETURN_IF_ERROR(ReadCount(*usage, "output_tokens", output));
  RETURN_IF_ERROR(ReadCount(*usage, "cache_read_input_tokens", counts.cache_read_tokens));
  RETURN_IF_ERROR(ReadCount(*usage, "cache_creation_input_tokens", counts.cache_write_tokens));
  if (const auto details = usage->Find("output_tokens_details"))
    RETURN_IF_ERROR(ReadCount(*details, "thinking_tokens", counts.reasoning_tokens));
  // Anthropic counts the cached parts apart, ChatUsage in the whole.
  counts.input_tokens =
      fresh.value_or(0) + counts.cache_read_tokens.value_or(0) + counts.cache_write_tokens.value_or(0);
  counts.output_tokens = output.value_or(0);
  return absl::OkStatus();
}

// SDKs of Anthropic require a usage; without one all counts are 0.
Json RenderUsage(const ChatReply& reply, Warnings& warnings) {
  if (!reply.usage) AddNote(warnings, "usage unknown, sent as 0");
  const ChatUsage usage = reply.usage.value_or(ChatUsage());
  const int64_t cached = usage.cache_read_tokens.value_or(0) + usage.cache_write_tokens.value_or(0);
  Json json = {{"input_tokens", std::max<int64_t>(usage.input_tokens - cached, 0)},
               {"output_tokens", usage.output_tokens}};
  if (usage.cache_write_tokens) json["cache_creation_input_tokens"] = *usage.cache_write_tokens;
  if (usage.cache_read_tokens) json["cache_read_input_tokens"] = *usage.cache_read_tokens;
  if (usage.reasoning_tokens) json["output_tokens_details"] = {{"thinking_tokens", *usage.reasoning_tokens}};
  return json;
}

Json RenderContent(const ChatReply& reply, Warnings& warnings) {
  Json content = Json::array();
  for (const Part& part : reply.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) content.push_back(RenderText(text->text));
    if (const auto* refused = std::get_if<RefusalPart>(&part)) content.push_back(RenderText(refused->text));
    if (const auto* call = std::get_if<ToolCallPart>(&part))
      content.push_back(RenderToolUse(*call, warnings));
  }
  return content;
}

}  // namespace

absl::StatusOr<ChatReply> ParseReply(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseProviderReply(body));
  const Node root(json, kProviderReply);
  ChatReply reply;
  RETURN_IF_ERROR(root.Read("id", reply.id));
  RETURN_IF_ERROR(root.Read("model", reply.model));
  if (!root.Find("content")) return root.Wrong("content", "must be a list of content blocks");
  RETURN_IF_ERROR(root.ForEach("content", [&](const Node& block) { return ParseBlock(block, reply); }));
  std::string reason;
  RETURN_IF_ERROR(root.Read("stop_reason", reason));
  RETURN_IF_ERROR(root.Read("stop_sequence", reply.stop_sequence));
  reply.finish = FinishNamed(reason);
  RETURN_IF_ERROR(ParseUsage(root, reply));
  return reply;
}

std::string RenderReply(const ChatReply& reply, Warnings& warnings) {
  WarnOfUnknown(reply.unknown, warnings);
  Json json = {{"id", reply.id.empty() ? fmt::format("msg_{}", NewId()) : reply.id},
               {"type", "message"},
               {"role", "assistant"},
               {"model", reply.model}};
  json["content"] = RenderContent(reply, warnings);
  json["stop_reason"] = NameOf(reply, warnings);
  json["stop_sequence"] = reply.stop_sequence.empty() ? Json(nullptr) : Json(reply.stop_sequence);
  json["usage"] = RenderUsage(reply, warnings);
  return DumpJson(json);
}

}  // namespace llm_router::anthropic_messages
