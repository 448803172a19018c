#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/anthropic_messages_usage.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::anthropic_messages {
namespace {

absl::Status ParseBlock(const Node& block, ChatReply& reply) {
  const std::string_view type = block.Type();
  if (type.empty()) return block.Wrong("must be an object with a type");
  if (type == "tool_use") return ParseToolUse(block, reply.parts);
  if (type == "thinking" || type == "redacted_thinking") return ParseThinking(block, reply.parts);
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

Json RenderContent(const ChatReply& reply, Warnings& warnings) {
  Json content = Json::array();
  for (const Part& part : reply.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) content.push_back(RenderText(*text));
    if (const auto* refused = std::get_if<RefusalPart>(&part))
      content.push_back(RenderText(TextPart{refused->text}));
    if (const auto* thought = std::get_if<ThinkingPart>(&part)) content.push_back(RenderThinking(*thought));
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
  RETURN_IF_ERROR(ParseUsage(root, reply.usage));
  return reply;
}

std::string RenderReply(const ChatReply& reply, Warnings& warnings) {
  WarnOfUnknown(reply.unknown, warnings);
  Json json = {{"id", reply.id.empty() ? fmt::format("msg_{}", NewId()) : reply.id},
               {"type", "message"},
               {"role", "assistant"},
               {"model", reply.model}};
  json["content"] = RenderContent(reply, warnings);
  json["stop_reason"] = FinishName(FinishOf(reply), warnings);
  json["stop_sequence"] = reply.stop_sequence.empty() ? Json(nullptr) : Json(reply.stop_sequence);
  json["usage"] = RenderUsage(reply.usage, warnings);
  return DumpJson(json);
}

}  // namespace llm_router::anthropic_messages
