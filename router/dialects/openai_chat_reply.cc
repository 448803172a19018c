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

Finish FinishNamed(std::string_view reason) {
  if (reason == "stop") return Finish::kStop;
  if (reason == "length") return Finish::kLength;
  if (reason == "tool_calls" || reason == "function_call") return Finish::kToolCalls;
  if (reason == "content_filter") return Finish::kContentFilter;
  return Finish::kUnknown;
}

// A refusal in words ends with "stop" here; one without words can only be told as a content filter's.
std::string_view NameOf(const ChatReply& reply, Warnings& warnings) {
  switch (FinishOf(reply)) {
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kContentFilter:
      return "content_filter";
    case Finish::kRefusal:
      return HasPart<RefusalPart>(reply) ? "stop" : "content_filter";
    case Finish::kPause:
      AddNote(warnings, "stop_reason pause_turn sent as stop");
      return "stop";
    case Finish::kUnknown:
      AddNote(warnings, "unknown finish reason sent as stop");
      return "stop";
    case Finish::kStop:
    case Finish::kStopSequence:
      break;
  }
  return "stop";
}

absl::Status ParseContent(const Node& message, ChatReply& reply) {
  const auto content = message.Find("content");
  if (!content) return absl::OkStatus();
  if (content->IsString()) {
    if (!content->AsString().empty()) reply.parts.emplace_back(TextPart{std::string(content->AsString())});
    return absl::OkStatus();
  }
  if (!content->IsArray()) return content->Wrong("must be a string");
  return content->Items([&](const Node& part) {
    TextPart text;
    if (part.Type() == "text") RETURN_IF_ERROR(part.Read("text", text.text));
    if (part.Type() != "text") AddNote(reply.unknown, "content that is no text");
    if (!text.text.empty()) reply.parts.emplace_back(std::move(text));
    return absl::OkStatus();
  });
}

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
  RETURN_IF_ERROR(ParseContent(message, reply));
  std::string refusal;
  RETURN_IF_ERROR(message.Read("refusal", refusal));
  if (!refusal.empty()) reply.parts.emplace_back(RefusalPart{std::move(refusal)});
  RETURN_IF_ERROR(message.ForEach(
      "tool_calls", [&](const Node& call) { return ParseToolCall(call, reply.parts, reply.unknown); }));
  for (const std::string_view key : {"annotations", "audio", "reasoning", "reasoning_content"}) {
    const auto extra = message.Find(key);
    if (extra && !extra->json().empty()) AddNote(reply.unknown, std::string(key));
  }
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

absl::Status ParseUsage(const Node& root, ChatReply& reply) {
  const auto usage = root.Find("usage");
  if (!usage) return absl::OkStatus();
  if (!usage->IsObject()) return usage->Wrong("must be an object");
  std::optional<int64_t> input, output;
  ChatUsage& counts = reply.usage.emplace();
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

Json RenderMessage(const ChatReply& reply) {
  std::string content, refusal;
  Json calls = Json::array();
  for (const Part& part : reply.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) content += text->text;
    if (const auto* refused = std::get_if<RefusalPart>(&part)) refusal += refused->text;
    if (const auto* call = std::get_if<ToolCallPart>(&part)) calls.push_back(RenderToolCall(*call));
  }
  const bool silent = content.empty() && (!calls.empty() || !refusal.empty());
  Json message = {{"role", "assistant"}};
  message["content"] = silent ? Json(nullptr) : Json(content);
  message["refusal"] = refusal.empty() ? Json(nullptr) : Json(refusal);
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
  RETURN_IF_ERROR(ParseUsage(root, reply));
  return reply;
}

std::string RenderReply(const ChatReply& reply, Warnings& warnings) {
  WarnOfUnknown(reply.unknown, warnings);
  Json choice = {{"index", 0}, {"message", RenderMessage(reply)}, {"logprobs", nullptr}};
  choice["finish_reason"] = NameOf(reply, warnings);
  Json json = {{"id", reply.id.empty() ? fmt::format("chatcmpl-{}", NewId()) : reply.id},
               {"object", "chat.completion"},
               {"created", reply.created > 0 ? reply.created : UnixMillis() / 1000},
               {"model", reply.model}};
  json["choices"] = Json::array({std::move(choice)});
  if (reply.usage) json["usage"] = RenderUsage(*reply.usage, warnings);
  return DumpJson(json);
}

}  // namespace llm_router::openai_chat
