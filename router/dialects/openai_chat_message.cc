// What a whole message and the delta of a chunk have in common.
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {

absl::Status ReadContent(const Node& message, std::vector<std::string>& unknown,
                         const std::function<void(std::string_view)>& each) {
  const auto content = message.Find("content");
  if (!content) return absl::OkStatus();
  if (content->IsString()) {
    if (!content->AsString().empty()) each(content->AsString());
    return absl::OkStatus();
  }
  if (!content->IsArray()) return content->Wrong("must be a string");
  return content->Items([&](const Node& part) {
    std::string text;
    if (part.Type() == "text") RETURN_IF_ERROR(part.Read("text", text));
    if (part.Type() != "text") AddNote(unknown, "content that is no text");
    if (!text.empty()) each(text);
    return absl::OkStatus();
  });
}

// OpenAI itself keeps the thoughts of its models; the servers that imitate it have two names for them, and
// some write both.
absl::Status ReadReasoning(const Node& message, std::string& text) {
  RETURN_IF_ERROR(message.Read("reasoning_content", text));
  return text.empty() ? message.Read("reasoning", text) : absl::OkStatus();
}

void NoteExtras(const Node& message, std::vector<std::string>& unknown) {
  for (const std::string_view key : {"annotations", "audio", "reasoning_details"}) {
    const auto extra = message.Find(key);
    if (extra && !extra->json().empty()) AddNote(unknown, std::string(key));
  }
}

void WarnOfProof(const ThinkingPart& thought, Warnings& warnings) {
  if (!thought.redacted.empty()) AddNote(warnings, "redacted thinking dropped");
  if (!thought.signature.empty()) AddNote(warnings, "signature of thinking dropped");
}

}  // namespace llm_router::openai_chat
