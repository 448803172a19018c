#include "router/dialects/token_estimate.h"

#include <string_view>

namespace llm_router {
namespace {

constexpr int64_t kImage = 1600;
constexpr int64_t kMessage = 3;
constexpr int64_t kTool = 8;

class Estimate {
 public:
  void Add(std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) ++quarters_;
      if (byte >= 0xC0) quarters_ += 4;  // the first byte of a character
    }
  }
  void Add(const TextPart& part) { Add(part.text); }
  void Add(const RefusalPart& part) { Add(part.text); }
  void Add(const ImagePart&) { AddTokens(kImage); }
  void Add(const ToolCallPart& part) {
    Add(part.name);
    Add(part.arguments);
    AddTokens(kMessage);
  }
  void Add(const ToolResultPart& part) {
    for (const auto& content : part.content) std::visit([this](const auto& kind) { Add(kind); }, content);
    AddTokens(kMessage);
  }
  void Add(const ThinkingPart& part) {
    Add(part.text);
    Add(part.redacted);
  }
  void Add(const Tool& tool) {
    Add(tool.name);
    Add(tool.description);
    Add(tool.parameters);
    AddTokens(kTool);
  }
  void AddTokens(int64_t tokens) { quarters_ += tokens * 4; }

  int64_t tokens() const { return (quarters_ + 3) / 4; }

 private:
  int64_t quarters_ = 0;
};

}  // namespace

int64_t EstimateTokens(const Chat& chat) {
  Estimate estimate;
  for (const ChatMessage& message : chat.messages) {
    for (const Part& part : message.parts) std::visit([&](const auto& kind) { estimate.Add(kind); }, part);
    estimate.AddTokens(kMessage);
  }
  for (const Tool& tool : chat.tools) estimate.Add(tool);
  if (chat.response_format) estimate.Add(chat.response_format->schema);
  return estimate.tokens();
}

}  // namespace llm_router
