#include <nlohmann/json.hpp>

#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

Json RenderImage(const ImagePart& image, Warnings& warnings) {
  if (!image.detail.empty() && image.detail != "auto") AddNote(warnings, "image detail dropped");
  Json source = {{"type", "url"}, {"url", image.url}};
  if (image.url.empty())
    source = {{"type", "base64"}, {"media_type", image.media_type}, {"data", image.data}};
  return WithMark({{"type", "image"}, {"source", std::move(source)}}, image.cache);
}

// One text alone is written as a plain string, which has no place for a mark.
Json ContentOf(Json blocks) {
  if (blocks.size() == 1 && blocks[0]["type"] == "text" && !blocks[0].contains("cache_control"))
    return std::move(blocks[0]["text"]);
  return blocks;
}

Json RenderResult(const ToolResultPart& result, Warnings& warnings) {
  Json content = Json::array();
  for (const auto& part : result.content) {
    if (const auto* image = std::get_if<ImagePart>(&part)) content.push_back(RenderImage(*image, warnings));
    const auto* text = std::get_if<TextPart>(&part);
    if (text != nullptr && !text->text.empty()) content.push_back(RenderText(*text));
  }
  Json json = {{"type", "tool_result"}, {"tool_use_id", ToolUseId(result.call_id)}};
  if (!content.empty()) json["content"] = ContentOf(std::move(content));
  if (result.is_error) json["is_error"] = true;
  return WithMark(std::move(json), result.cache);
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
      if (text != nullptr && !text->text.empty()) system_.push_back(RenderText(*text));
    }
  }

  // Anthropic refuses empty texts, and wants results before all else in a message.
  void AddPart(const Part& part) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      if (!text->text.empty()) blocks_.push_back(RenderText(*text));
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      blocks_.push_back(RenderImage(*image, warnings_));
    } else if (const auto* call = std::get_if<ToolCallPart>(&part)) {
      blocks_.push_back(RenderToolUse(*call, warnings_));
    } else if (const auto* result = std::get_if<ToolResultPart>(&part)) {
      results_.push_back(RenderResult(*result, warnings_));
    } else if (const auto* refusal = std::get_if<RefusalPart>(&part)) {
      AddNote(warnings_, "refusal sent as text");
      blocks_.push_back(RenderText(TextPart{refusal->text}));
    } else if (const auto* thought = std::get_if<ThinkingPart>(&part)) {
      AddThought(*thought);
    }
  }

  // Anthropic takes back only thoughts of its own, which are signed.
  void AddThought(const ThinkingPart& thought) {
    const bool signed_or_secret = !thought.signature.empty() || !thought.redacted.empty();
    if (signed_or_secret) blocks_.push_back(RenderThinking(thought));
    if (!signed_or_secret) AddNote(warnings_, "thinking without a signature dropped");
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

Json RenderText(const TextPart& part) {
  return WithMark({{"type", "text"}, {"text", part.text}}, part.cache);
}

Json WithMark(Json block, const CacheMark& mark) {
  if (!mark.empty()) block["cache_control"] = ObjectOrNull(mark);
  return block;
}

}  // namespace llm_router::anthropic_messages
