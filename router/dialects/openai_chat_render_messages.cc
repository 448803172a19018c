#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "router/dialects/image_url.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

Json RenderText(const TextPart& text) { return {{"type", "text"}, {"text", text.text}}; }

Json RenderImage(const ImagePart& image) {
  Json url = {{"url", UrlOfImage(image)}};
  if (!image.detail.empty()) url["detail"] = image.detail;
  return {{"type", "image_url"}, {"image_url", std::move(url)}};
}

// One text alone is written as a plain string, the form every server that imitates OpenAI's takes.
Json ContentOf(Json parts) {
  if (parts.empty()) return "";
  if (parts.size() == 1 && parts[0]["type"] == "text") return std::move(parts[0]["text"]);
  return parts;
}

std::string_view NameOf(Role role) {
  return role == Role::kSystem ? "system" : role == Role::kAssistant ? "assistant" : "user";
}

template <class Kind>
bool IsMarked(const Kind& part) {
  if constexpr (requires { part.cache; }) return !part.cache.empty();
  return false;
}

class MessagesRenderer {
 public:
  explicit MessagesRenderer(Warnings& warnings) : warnings_(warnings) {}

  // A message of ours becomes several where results of tools stand in it: each is a message of its own here.
  void Add(const ChatMessage& message) {
    Message out;
    for (const Part& part : message.parts) {
      if (const auto* result = std::get_if<ToolResultPart>(&part)) {
        Flush(message, out);
        AddResult(*result);
      } else {
        AddPart(part, message.role, out);
      }
    }
    if (message.parts.empty() && message.role != Role::kTool) out.said = true;
    Flush(message, out);
  }

  Json Take() {
    FlushImages();
    return std::move(messages_);
  }

 private:
  struct Message {
    Json content = Json::array();
    Json tool_calls = Json::array();
    std::string refusal;
    bool said = false;
  };

  void AddPart(const Part& part, Role role, Message& out) {
    // OpenAI takes no thoughts back.
    if (std::holds_alternative<ThinkingPart>(part))
      return AddNote(warnings_, "thinking of earlier turns dropped");
    out.said = true;
    WarnOfMark(part);
    if (const auto* text = std::get_if<TextPart>(&part)) {
      out.content.push_back(RenderText(*text));
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      if (role == Role::kUser) out.content.push_back(RenderImage(*image));
      if (role != Role::kUser) AddNote(warnings_, fmt::format("image in a {} message dropped", NameOf(role)));
    } else if (const auto* call = std::get_if<ToolCallPart>(&part)) {
      out.tool_calls.push_back(RenderToolCall(*call));
    } else if (const auto* refusal = std::get_if<RefusalPart>(&part)) {
      out.refusal += refusal->text;
    }
  }

  // OpenAI's cache works without marks.
  template <class AnyPart>
  void WarnOfMark(const AnyPart& part) {
    if (std::visit([](const auto& kind) { return IsMarked(kind); }, part))
      AddNote(warnings_, "cache_control dropped");
  }

  void Flush(const ChatMessage& message, Message& out) {
    if (!out.said) return;
    FlushImages();
    Json json = {{"role", NameOf(message.role)}};
    if (!message.name.empty()) json["name"] = message.name;
    const bool silent = out.content.empty() && (!out.tool_calls.empty() || !out.refusal.empty());
    json["content"] = silent ? Json(nullptr) : ContentOf(std::move(out.content));
    if (!out.refusal.empty()) json["refusal"] = out.refusal;
    if (!out.tool_calls.empty()) json["tool_calls"] = std::move(out.tool_calls);
    messages_.push_back(std::move(json));
    out = Message();
  }

  // OpenAI's tool messages hold text only. Images of a result follow in a user message, after the last
  // result: results must come right after their calls.
  void AddResult(const ToolResultPart& result) {
    Json content = Json::array();
    if (IsMarked(result)) AddNote(warnings_, "cache_control dropped");
    for (const auto& part : result.content) {
      WarnOfMark(part);
      if (const auto* text = std::get_if<TextPart>(&part)) content.push_back(RenderText(*text));
      if (const auto* image = std::get_if<ImagePart>(&part)) {
        images_.push_back(RenderImage(*image));
        AddNote(warnings_, "image in a tool result moved to a user message");
      }
    }
    if (result.is_error) AddNote(warnings_, "is_error of a tool result dropped");
    messages_.push_back(
        {{"role", "tool"}, {"tool_call_id", result.call_id}, {"content", ContentOf(std::move(content))}});
  }

  void FlushImages() {
    if (images_.empty()) return;
    messages_.push_back({{"role", "user"}, {"content", std::move(images_)}});
    images_ = Json::array();
  }

  Warnings& warnings_;
  Json messages_ = Json::array();
  Json images_ = Json::array();
};

}  // namespace

Json RenderMessages(const Chat& chat, Warnings& warnings) {
  MessagesRenderer renderer(warnings);
  for (const ChatMessage& message : chat.messages) renderer.Add(message);
  return renderer.Take();
}

}  // namespace llm_router::openai_chat
