#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/image_url.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

class MessagesParser {
 public:
  explicit MessagesParser(Chat& chat) : chat_(chat) {}

  absl::Status Parse(const Node& message) {
    if (!message.IsObject()) return message.Wrong("must be an object");
    std::string role;
    RETURN_IF_ERROR(message.Read("role", role));
    ChatMessage parsed;
    RETURN_IF_ERROR(message.Read("name", parsed.name));
    RETURN_IF_ERROR(ParseAs(role, message, parsed));
    chat_.messages.push_back(std::move(parsed));
    return absl::OkStatus();
  }

 private:
  absl::Status ParseAs(std::string_view role, const Node& message, ChatMessage& parsed) {
    if (role == "user" || role == "system" || role == "developer") {
      parsed.role = role == "user" ? Role::kUser : Role::kSystem;
      if (!message.Find("content")) return message.Wrong("content", "must be a string or a list of parts");
      return ParseContent(message, parsed.parts);
    }
    if (role == "assistant") return ParseAssistant(message, parsed);
    if (role == "tool" || role == "function") return ParseResult(role, message, parsed);
    return message.Wrong("role", "must be system, developer, user, assistant or tool");
  }

  absl::Status ParseContent(const Node& message, std::vector<Part>& parts) {
    const auto content = message.Find("content");
    if (!content) return absl::OkStatus();
    if (content->IsString()) {
      if (!content->AsString().empty()) parts.emplace_back(TextPart{std::string(content->AsString())});
      return absl::OkStatus();
    }
    if (!content->IsArray()) return content->Wrong("must be a string or a list of parts");
    return content->Items([&](const Node& part) { return ParsePart(part, parts); });
  }

  absl::Status ParsePart(const Node& part, std::vector<Part>& parts) {
    const std::string_view type = part.Type();
    if (type.empty()) return part.Wrong("must be an object with a type");
    if (type == "text" || type == "refusal") {
      const auto text = part.Find(type);
      if (!text || !text->IsString()) return part.Wrong(type, "must be a string");
      std::string value(text->AsString());
      parts.push_back(type == "text" ? Part(TextPart{std::move(value)})
                                     : Part(RefusalPart{std::move(value)}));
      return absl::OkStatus();
    }
    if (type == "image_url") return ParseImage(part, parts);
    AddNote(chat_.unknown, fmt::format("content of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }

  absl::Status ParseImage(const Node& part, std::vector<Part>& parts) {
    const auto holder = part.Find("image_url");
    if (!holder) return part.Wrong("image_url", "must be an object with a url");
    std::string url;
    RETURN_IF_ERROR(holder->Require("url", url));
    auto image = ImageOfUrl(url);
    if (!image) return holder->Wrong("url", "must be data:<media type>;base64,<data> or a web address");
    RETURN_IF_ERROR(holder->Read("detail", image->detail));
    parts.emplace_back(*std::move(image));
    return absl::OkStatus();
  }

  absl::Status ParseAssistant(const Node& message, ChatMessage& parsed) {
    parsed.role = Role::kAssistant;
    std::string thinking;
    RETURN_IF_ERROR(ReadReasoning(message, thinking));
    if (!thinking.empty()) parsed.parts.emplace_back(ThinkingPart{std::move(thinking), {}, {}});
    RETURN_IF_ERROR(ParseContent(message, parsed.parts));
    std::string refusal;
    RETURN_IF_ERROR(message.Read("refusal", refusal));
    if (!refusal.empty()) parsed.parts.emplace_back(RefusalPart{std::move(refusal)});
    if (message.Find("audio")) AddNote(chat_.unknown, "audio of an assistant message");
    RETURN_IF_ERROR(message.ForEach("tool_calls", [&](const Node& call) {
      std::string id;
      RETURN_IF_ERROR(call.Require("id", id));
      return ParseToolCall(call, parsed.parts, chat_.unknown);
    }));
    return ParseFunctionCall(message, parsed);
  }

  // Function calls of old have no id: one is made up, and the next function message answers it.
  absl::Status ParseFunctionCall(const Node& message, ChatMessage& parsed) {
    const auto call = message.Find("function_call");
    if (!call) return absl::OkStatus();
    ToolCallPart part;
    part.id = function_call_id_ = fmt::format("call_{}", chat_.messages.size());
    RETURN_IF_ERROR(call->Require("name", part.name));
    RETURN_IF_ERROR(call->Read("arguments", part.arguments));
    parsed.parts.emplace_back(std::move(part));
    return absl::OkStatus();
  }

  absl::Status ParseResult(std::string_view role, const Node& message, ChatMessage& parsed) {
    parsed.role = Role::kTool;
    parsed.name.clear();
    ToolResultPart result;
    result.call_id = function_call_id_;
    if (role == "tool") RETURN_IF_ERROR(message.Require("tool_call_id", result.call_id));
    if (result.call_id.empty())
      return message.Wrong("role", "is function, but no assistant message before it has a function_call");
    std::vector<Part> parts;
    RETURN_IF_ERROR(ParseContent(message, parts));
    for (Part& part : parts) {
      if (auto* text = std::get_if<TextPart>(&part)) result.content.emplace_back(std::move(*text));
      if (auto* image = std::get_if<ImagePart>(&part)) result.content.emplace_back(std::move(*image));
    }
    parsed.parts.emplace_back(std::move(result));
    return absl::OkStatus();
  }

  Chat& chat_;
  std::string function_call_id_;
};

}  // namespace

absl::Status ParseMessages(const Node& request, Chat& chat) {
  constexpr std::string_view kMust = "must be a list of at least one message";
  const auto messages = request.Find("messages");
  if (!messages || !messages->IsArray() || messages->json().empty()) return request.Wrong("messages", kMust);
  MessagesParser parser(chat);
  return messages->Items([&](const Node& message) { return parser.Parse(message); });
}

}  // namespace llm_router::openai_chat
