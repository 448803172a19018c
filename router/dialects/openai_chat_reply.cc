#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::openai_chat {
namespace {

absl::Status ParseFunctionCall(const Node& message, ChatReply& reply) {
  const auto call = message.Find("function_call");
  if (!call) return absl::OkStatus();
  ToolCallPart part;
  RETURN_IF_ERROR(call->Require("name", part.name));
  RETURN_IF_ERROR(call->Read("arguments", part.arguments));
  reply.parts.emplace_back(std::move(part));
  return absl::OkStatus();
}

// Without an id a caller could not answer the call.
void GiveIds(ChatReply& reply) {
  for (Part& part : reply.parts) {
    auto* call = std::get_if<ToolCallPart>(&part);
    if (call != nullptr && call->id.empty()) call->id = fmt::format("call_{}", NewId());
  }
}

absl::Status ParseMessage(const Node& message, ChatReply& reply) {
  if (!message.IsObject()) return message.Wrong("must be an object");
  std::string thinking, refusal;
  RETURN_IF_ERROR(ReadReasoning(message, thinking));
  if (!thinking.empty()) reply.parts.emplace_back(ThinkingPart{std::move(thinking), {}, {}});
  RETURN_IF_ERROR(ReadContent(message, reply.unknown, [&](std::string_view text) {
    reply.parts.emplace_back(TextPart{std::string(text)});
  }));
  RETURN_IF_ERROR(message.Read("refusal", refusal));
  if (!refusal.empty()) reply.parts.emplace_back(RefusalPart{std::move(refusal)});
  RETURN_IF_ERROR(message.ForEach(
      "tool_calls", [&](const Node& call) { return ParseToolCall(call, reply.parts, reply.unknown); }));
  NoteExtras(message, reply.unknown);
  RETURN_IF_ERROR(ParseFunctionCall(message, reply));
  GiveIds(reply);
  return absl::OkStatus();
}

absl::Status ParseChoice(const Node& choice, ChatReply& reply) {
  const auto message = choice.Find("message");
  if (!message) return choice.Wrong("message", "must be an object");
  RETURN_IF_ERROR(ParseMessage(*message, reply));
  std::string reason;
  RETURN_IF_ERROR(choice.Read("finish_reason", reason));
  reply.finish = FinishNamed(reason);
  if (reply.finish == Finish::kStop && HasPart<RefusalPart>(reply)) reply.finish = Finish::kRefusal;
  reply.finish = FinishOf(reply);
  if (choice.Find("logprobs")) AddNote(reply.unknown, "logprobs");
  return absl::OkStatus();
}

Json RenderMessage(const ChatReply& reply, Warnings& warnings) {
  std::string content, refusal, thinking;
  Json calls = Json::array();
  for (const Part& part : reply.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) content += text->text;
    if (const auto* refused = std::get_if<RefusalPart>(&part)) refusal += refused->text;
    if (const auto* thought = std::get_if<ThinkingPart>(&part)) {
      thinking += thought->text;
      WarnOfProof(*thought, warnings);
    }
    if (const auto* call = std::get_if<ToolCallPart>(&part)) calls.push_back(RenderToolCall(*call));
  }
  const bool silent = content.empty() && (!calls.empty() || !refusal.empty() || !thinking.empty());
  Json message = {{"role", "assistant"}};
  message["content"] = silent ? Json(nullptr) : Json(content);
  message["refusal"] = refusal.empty() ? Json(nullptr) : Json(refusal);
  if (!thinking.empty()) message["reasoning_content"] = thinking;
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

}  // namespace

absl::StatusOr<ChatReply> ParseReply(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseProviderReply(body));
  const Node root(json, kProviderReply);
  ChatReply reply;
  RETURN_IF_ERROR(root.Read("id", reply.id));
  RETURN_IF_ERROR(root.Read("model", reply.model));
  std::optional<int64_t> created;
  if (const auto member = root.Find("created"); member && member->json().is_number_integer())
    RETURN_IF_ERROR(root.Read("created", created));
  reply.created = created.value_or(0);
  const auto choices = root.Find("choices");
  if (!choices || !choices->IsArray() || choices->json().empty())
    return root.Wrong("choices", "must be a list of at least one choice");
  if (choices->json().size() > 1) AddNote(reply.unknown, "choices after the first");
  RETURN_IF_ERROR(ParseChoice(choices->Item(0), reply));
  RETURN_IF_ERROR(ParseUsage(root, reply.usage));
  return reply;
}

std::string RenderReply(const ChatReply& reply, Warnings& warnings) {
  WarnOfUnknown(reply.unknown, warnings);
  Json choice = {{"index", 0}, {"message", RenderMessage(reply, warnings)}, {"logprobs", nullptr}};
  choice["finish_reason"] = FinishName(FinishOf(reply), HasPart<RefusalPart>(reply), warnings);
  Json json = {{"id", reply.id.empty() ? fmt::format("chatcmpl-{}", NewId()) : reply.id},
               {"object", "chat.completion"},
               {"created", reply.created > 0 ? reply.created : UnixMillis() / 1000},
               {"model", reply.model}};
  json["choices"] = Json::array({std::move(choice)});
  if (reply.usage) json["usage"] = RenderUsage(*reply.usage, warnings);
  return DumpJson(json);
}

}  // namespace llm_router::openai_chat
