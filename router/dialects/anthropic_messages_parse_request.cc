#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

constexpr BodyKind kRequest{Fault::kInvalidRequest, "the body",
                            "It must be an Anthropic Messages request, a JSON object."};

// Fields with a place in Chat.
constexpr auto kKnown = std::to_array<std::string_view>(
    {"max_tokens", "messages", "metadata", "model", "output_config", "output_format", "stop_sequences",
     "stream", "system", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"});

void NoteUnknown(const Node& request, Chat& chat) {
  request.Keys([&](std::string_view key) {
    if (std::ranges::binary_search(kKnown, key) || !request.Find(key)) return;
    AddNote(chat.unknown, Excerpt(key, 64));
  });
}

absl::Status ParseSampling(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.Read("max_tokens", chat.max_tokens));
  if (chat.max_tokens && *chat.max_tokens < 0) return request.Wrong("max_tokens", "must not be negative");
  RETURN_IF_ERROR(request.Read("temperature", chat.temperature));
  RETURN_IF_ERROR(request.Read("top_p", chat.top_p));
  RETURN_IF_ERROR(request.Read("top_k", chat.top_k));
  return request.ForEach("stop_sequences", [&](const Node& item) {
    if (!item.IsString()) return item.Wrong("must be a string");
    chat.stop.emplace_back(item.AsString());
    return absl::OkStatus();
  });
}

absl::Status ParseMetadata(const Node& request, Chat& chat) {
  const auto metadata = request.Find("metadata");
  if (!metadata) return absl::OkStatus();
  if (!metadata->IsObject()) return metadata->Wrong("must be an object");
  return metadata->Read("user_id", chat.user);
}

absl::Status ParseFormat(const Node& format, Chat& chat) {
  if (format.Type() != "json_schema") return format.Wrong("type", "must be json_schema");
  if (!format.Find("schema")) return format.Wrong("schema", "must be an object");
  chat.response_format.emplace();
  chat.response_format->strict = true;  // Anthropic's always is
  return format.ReadObject("schema", chat.response_format->schema);
}

// output_config.format, and output_format as it was called while in beta.
absl::Status ParseOutput(const Node& request, Chat& chat) {
  if (const auto config = request.Find("output_config")) {
    if (!config->IsObject()) return config->Wrong("must be an object");
    if (const auto format = config->Find("format")) return ParseFormat(*format, chat);
  }
  const auto format = request.Find("output_format");
  return format ? ParseFormat(*format, chat) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<Chat> ParseRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseBody(body, kRequest));
  const Node request(json, kRequest);
  Chat chat;
  RETURN_IF_ERROR(request.Read("model", chat.model));
  RETURN_IF_ERROR(request.Read("stream", chat.stream));
  chat.stream_usage = true;  // Anthropic's always have it
  RETURN_IF_ERROR(ParseMessages(request, chat));
  RETURN_IF_ERROR(ParseTools(request, chat));
  RETURN_IF_ERROR(ParseSampling(request, chat));
  RETURN_IF_ERROR(ParseMetadata(request, chat));
  RETURN_IF_ERROR(ParseOutput(request, chat));
  RETURN_IF_ERROR(ParseReasoning(request, chat));
  NoteUnknown(request, chat);
  return chat;
}

}  // namespace llm_router::anthropic_messages
