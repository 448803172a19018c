#include <nlohmann/json.hpp>

#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

Json RenderImage(const ImagePart& image, Warnings& warnings) {
  if (!image.detail.empty() && image.detail != "auto") AddNote(warnings, "image detail dropped");
  if (!image.url.empty()) return {{"type", "image"}, {"source", {{"type", "url"}, {"url", image.url}}}};
  return {{"type", "image"},
          {"source", {{"type", "base64"}, {"media_type", image.media_type}, {"data", image.data}}}};
}

// One text alone is written as a plain string.
Json ContentOf(Json blocks) {
  if (blocks.size() == 1 && blocks[0]["type"] == "text") return std::move(blocks[0]["text"]);
  return blocks;
}

Json RenderResult(const ToolResultPart& result, Warnings& warnings) {
  Json content = Json::array();
  for (const auto& part : result.content) {
    if (const auto* image = std::get_if<ImagePart>(&part)) content.push_back(RenderImage(*image, warnings));
    const auto* text = std::get_if<TextPart>(&part);
    if (text != nullptr && !text->text.empty()) content.push_back(RenderText(text->text));
  }
  Json json = {{"type", "tool_result"}, {"tool_use_id", ToolUseId(result.call_id)}};
  if (!content.empty()) json["content"] = ContentOf(std::move(content));
  if (result.is_error) json["is_error"] = true;
  return json;
}

class MessagesRenderer {
 public:
  explicit MessagesRenderer(Warnings& warnings) : warnings_(warnings) {}

  void Add(const ChatMessage& message) {
    if (!message.name.empty()) AddNote(warnings_, "name of a message dropped");
    if (message.role == Role::kSystem) return AddSystem(message);
    const std::string_view role = message.role == Role::kAssistant ? "assistant" : "user";
    if (message.parts.empty()) return;
    // Turns alternate: what follows in the same role belongs to the same message.
    if (role != role_) Flush();
    role_ = role;
    for (const Part& part : message.parts) AddPart(part);
  }

  void Finish(Json& request) {
    Flush();
    if (!system_.empty()) request["system"] = ContentOf(std::move(system_));
    request["messages"] = std::move(messages_);
  }

 private:
  // There is one place for system prompts, before the conversation.
  void AddSystem(const ChatMessage& message) {
    if (!messages_.empty() || !blocks_.empty())
      AddNote(warnings_, "system message inside the conversation moved to its start");
    for (const Part& part : message.parts) {
      const auto* text = std::get_if<TextPart>(&part);
      if (text == nullptr) AddNote(warnings_, "content of a system message that is no text dropped");
      if (text != nullptr && !text->text.empty()) system_.push_back(RenderText(text->text));
    }
  }

  // Anthropic refuses empty texts, and wants results before all else in a message.
  void AddPart(const Part& part) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      if (!text->text.empty()) blocks_.push_back(RenderText(text->text));
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      blocks_.push_back(RenderImage(*image, warnings_));
    } else if (const auto* call = std::get_if<ToolCallPart>(&part)) {
      blocks_.push_back(RenderToolUse(*call, warnings_));
    } else if (const auto* result = std::get_if<ToolResultPart>(&part)) {
      results_.push_back(RenderResult(*result, warnings_));
    } else if (const auto* refusal = std::get_if<RefusalPart>(&part)) {
      AddNote(warnings_, "refusal sent as text");
      blocks_.push_back(RenderText(refusal->text));
    }
  }

  void Flush() {
    for (Json& block : blocks_) results_.push_back(std::move(block));
    if (!results_.empty())
      messages_.push_back({{"role", role_}, {"content", ContentOf(std::move(results_))}});
    results_ = Json::array();
    blocks_ = Json::array();
  }

  Warnings& warnings_;
  std::string_view role_;
  Json system_ = Json::array();
  Json messages_ = Json::array();
  Json results_ = Json::array();  // of the message being gathered ...
  Json blocks_ = Json::array();   // ... and its other content
};

}  // namespace

void RenderMessages(const Chat& chat, Json& request, Warnings& warnings) {
  MessagesRenderer renderer(warnings);
  for (const ChatMessage& message : chat.messages) renderer.Add(message);
  renderer.Finish(request);
}

Json RenderText(const std::string& text) { return {{"type", "text"}, {"text", text}}; }

}  // namespace llm_router::anthropic_messages
