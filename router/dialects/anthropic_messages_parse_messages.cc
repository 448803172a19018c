#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

constexpr std::string_view kContent = "must be a string or a list of content blocks";

class MessagesParser {
 public:
  explicit MessagesParser(Chat& chat) : chat_(chat) {}

  absl::Status ParseSystem(const Node& request) {
    if (!request.Find("system")) return absl::OkStatus();
    std::vector<Part> parts;
    RETURN_IF_ERROR(ParseContent(request, "system", parts));
    if (!parts.empty()) chat_.messages.emplace_back(Role::kSystem, std::move(parts));
    return absl::OkStatus();
  }

  absl::Status Parse(const Node& message) {
    if (!message.IsObject()) return message.Wrong("must be an object");
    std::string role;
    RETURN_IF_ERROR(message.Read("role", role));
    if (role != "user" && role != "assistant" && role != "system")
      return message.Wrong("role", "must be user or assistant");
    std::vector<Part> parts;
    RETURN_IF_ERROR(ParseContent(message, "content", parts));
    Add(role == "user" ? Role::kUser : role == "system" ? Role::kSystem : Role::kAssistant, std::move(parts));
    return absl::OkStatus();
  }

 private:
  // Results of tools stand in user messages here and are messages of their own in Chat.
  void Add(Role role, std::vector<Part> parts) {
    ChatMessage said(role, {});
    for (Part& part : parts) {
      if (std::holds_alternative<ToolResultPart>(part)) {
        if (!said.parts.empty()) chat_.messages.push_back(std::exchange(said, ChatMessage(role, {})));
        chat_.messages.emplace_back(Role::kTool, std::vector<Part>{std::move(part)});
      } else {
        said.parts.push_back(std::move(part));
      }
    }
    const bool only_results = said.parts.empty() && !parts.empty();
    if (!only_results) chat_.messages.push_back(std::move(said));
  }

  absl::Status ParseContent(const Node& holder, std::string_view key, std::vector<Part>& parts) {
    const auto content = holder.Find(key);
    if (!content) return holder.Wrong(key, kContent);
    if (content->IsString()) {
      if (!content->AsString().empty()) parts.emplace_back(TextPart{std::string(content->AsString())});
      return absl::OkStatus();
    }
    if (!content->IsArray()) return content->Wrong(kContent);
    return content->Items([&](const Node& block) { return ParseBlock(block, parts); });
  }

  absl::Status ParseBlock(const Node& block, std::vector<Part>& parts) {
    const std::string_view type = block.Type();
    if (type.empty()) return block.Wrong("must be an object with a type");
    if (type == "text") return ParseText(block, parts);
    if (type == "image") return ParseImage(block, parts);
    if (type == "tool_use") return ParseToolUse(block, parts);
    if (type == "tool_result") return ParseResult(block, parts);
    if (type == "thinking" || type == "redacted_thinking") return ParseThinking(block, parts);
    AddNote(chat_.unknown, fmt::format("content of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }

  absl::Status ParseText(const Node& block, std::vector<Part>& parts) {
    const auto text = block.Find("text");
    if (!text || !text->IsString()) return block.Wrong("text", "must be a string");
    TextPart part{std::string(text->AsString())};
    RETURN_IF_ERROR(block.ReadObject("cache_control", part.cache));
    parts.emplace_back(std::move(part));
    return absl::OkStatus();
  }

  absl::Status ParseImage(const Node& block, std::vector<Part>& parts) {
    const auto source = block.Find("source");
    if (!source || source->Type().empty()) return block.Wrong("source", "must be an object with a type");
    ImagePart image;
    RETURN_IF_ERROR(block.ReadObject("cache_control", image.cache));
    if (source->Type() == "url") {
      RETURN_IF_ERROR(source->Require("url", image.url));
    } else if (source->Type() == "base64") {
      RETURN_IF_ERROR(source->Require("media_type", image.media_type));
      RETURN_IF_ERROR(source->Require("data", image.data));
    } else {
      AddNote(chat_.unknown, fmt::format("image of type {}", Excerpt(source->Type(), 40)));
      return absl::OkStatus();
    }
    parts.emplace_back(std::move(image));
    return absl::OkStatus();
  }

  // Only text and images have a place in a result; what is unknown in it is noted as anywhere.
  absl::Status ParseResult(const Node& block, std::vector<Part>& parts) {
    ToolResultPart result;
    RETURN_IF_ERROR(block.Require("tool_use_id", result.call_id));
    RETURN_IF_ERROR(block.Read("is_error", result.is_error));
    RETURN_IF_ERROR(block.ReadObject("cache_control", result.cache));
    std::vector<Part> content;
    if (block.Find("content")) RETURN_IF_ERROR(ParseContent(block, "content", content));
    for (Part& part : content) {
      if (auto* text = std::get_if<TextPart>(&part)) {
        result.content.emplace_back(std::move(*text));
      } else if (auto* image = std::get_if<ImagePart>(&part)) {
        result.content.emplace_back(std::move(*image));
      } else {
        return block.Wrong("content", "must hold text and images only");
      }
    }
    parts.emplace_back(std::move(result));
    return absl::OkStatus();
  }

  Chat& chat_;
};

}  // namespace

absl::Status ParseMessages(const Node& request, Chat& chat) {
  constexpr std::string_view kMust = "must be a list of at least one message";
  const auto messages = request.Find("messages");
  if (!messages || !messages->IsArray() || messages->json().empty()) return request.Wrong("messages", kMust);
  MessagesParser parser(chat);
  RETURN_IF_ERROR(parser.ParseSystem(request));
  return messages->Items([&](const Node& message) { return parser.Parse(message); });
}

absl::Status ParseToolUse(const Node& block, std::vector<Part>& parts) {
  ToolCallPart call;
  RETURN_IF_ERROR(block.Require("id", call.id));
  RETURN_IF_ERROR(block.Require("name", call.name));
  call.arguments = "{}";
  RETURN_IF_ERROR(block.ReadObject("input", call.arguments));
  RETURN_IF_ERROR(block.ReadObject("cache_control", call.cache));
  parts.emplace_back(std::move(call));
  return absl::OkStatus();
}

}  // namespace llm_router::anthropic_messages
