#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

constexpr BodyKind kRequest{Fault::kInvalidRequest, "the body",
                            "It must be an OpenAI chat completion request, a JSON object."};

// Fields with a place in Chat.
constexpr auto kKnown = std::to_array<std::string_view>({"frequency_penalty",
                                                         "function_call",
                                                         "functions",
                                                         "max_completion_tokens",
                                                         "max_tokens",
                                                         "messages",
                                                         "model",
                                                         "n",
                                                         "parallel_tool_calls",
                                                         "presence_penalty",
                                                         "reasoning_effort",
                                                         "response_format",
                                                         "seed",
                                                         "stop",
                                                         "stream",
                                                         "stream_options",
                                                         "temperature",
                                                         "tool_choice",
                                                         "tools",
                                                         "top_p",
                                                         "user"});

absl::Status ParseStop(const Node& request, Chat& chat) {
  const auto stop = request.Find("stop");
  if (!stop) return absl::OkStatus();
  if (stop->IsString()) {
    chat.stop.emplace_back(stop->AsString());
    return absl::OkStatus();
  }
  if (!stop->IsArray()) return stop->Wrong("must be a string or a list of strings");
  return stop->Items([&](const Node& item) {
    if (!item.IsString()) return item.Wrong("must be a string");
    chat.stop.emplace_back(item.AsString());
    return absl::OkStatus();
  });
}

absl::Status ParseLimit(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.Read("max_tokens", chat.max_tokens));
  RETURN_IF_ERROR(request.Read("max_completion_tokens", chat.max_tokens));
  if (chat.max_tokens && *chat.max_tokens < 1)
    return request.Wrong(request.Find("max_completion_tokens") ? "max_completion_tokens" : "max_tokens",
                         "must be at least 1");
  RETURN_IF_ERROR(request.Read("n", chat.n));
  if (chat.n && *chat.n < 1) return request.Wrong("n", "must be at least 1");
  return absl::OkStatus();
}

absl::Status ParseSampling(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.Read("temperature", chat.temperature));
  RETURN_IF_ERROR(request.Read("top_p", chat.top_p));
  RETURN_IF_ERROR(request.Read("frequency_penalty", chat.frequency_penalty));
  RETURN_IF_ERROR(request.Read("presence_penalty", chat.presence_penalty));
  RETURN_IF_ERROR(request.Read("seed", chat.seed));
  return ParseStop(request, chat);
}

absl::Status ParseReasoning(const Node& request, Chat& chat) {
  std::string effort;
  RETURN_IF_ERROR(request.Read("reasoning_effort", effort));
  if (!effort.empty()) chat.reasoning.emplace().effort = std::move(effort);
  return absl::OkStatus();
}

absl::Status ParseSchema(const Node& format, Chat& chat) {
  const auto schema = format.Find("json_schema");
  if (!schema || !schema->IsObject()) return format.Wrong("json_schema", "must be an object");
  RETURN_IF_ERROR(schema->Require("name", chat.response_format->name));
  RETURN_IF_ERROR(schema->ReadObject("schema", chat.response_format->schema));
  return schema->Read("strict", chat.response_format->strict);
}

absl::Status ParseFormat(const Node& request, Chat& chat) {
  const auto format = request.Find("response_format");
  if (!format) return absl::OkStatus();
  const std::string_view type = format->Type();
  if (type == "text") return absl::OkStatus();
  if (type != "json_object" && type != "json_schema")
    return format->Wrong("type", "must be text, json_object or json_schema");
  chat.response_format.emplace();
  return type == "json_schema" ? ParseSchema(*format, chat) : absl::OkStatus();
}

absl::Status ParseStream(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.Read("stream", chat.stream));
  const auto options = request.Find("stream_options");
  if (!options) return absl::OkStatus();
  if (!options->IsObject()) return options->Wrong("must be an object");
  return options->Read("include_usage", chat.stream_usage);
}

}  // namespace

// What is null or false asks for nothing.
void NoteUnknown(const Node& request, std::span<const std::string_view> known, Chat& chat) {
  request.Keys([&](std::string_view key) {
    if (std::ranges::binary_search(known, key)) return;
    const auto value = request.Find(key);
    if (!value || value->json() == false) return;
    AddNote(chat.unknown, Excerpt(key, 64));
  });
}

absl::Status ParseParameters(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.Read("model", chat.model));
  RETURN_IF_ERROR(ParseStream(request, chat));
  RETURN_IF_ERROR(request.Read("user", chat.user));
  RETURN_IF_ERROR(ParseLimit(request, chat));
  return ParseSampling(request, chat);
}

absl::StatusOr<Chat> ParseRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseBody(body, kRequest));
  const Node request(json, kRequest);
  Chat chat;
  RETURN_IF_ERROR(ParseParameters(request, chat));
  RETURN_IF_ERROR(ParseMessages(request, chat));
  RETURN_IF_ERROR(ParseTools(request, chat));
  RETURN_IF_ERROR(ParseReasoning(request, chat));
  RETURN_IF_ERROR(ParseFormat(request, chat));
  NoteUnknown(request, kKnown, chat);
  return chat;
}

}  // namespace llm_router::openai_chat
