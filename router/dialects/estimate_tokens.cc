#include "router/dialects/estimate_tokens.h"

#include <variant>

namespace llm_router {
namespace {

constexpr int64_t kBytesPerToken = 4;
constexpr int64_t kPerMessage = 3;
constexpr int64_t kPerImage = 85;

struct Size {
  int64_t bytes = 0;
  int64_t tokens = 0;

  void Add(const std::string& text) { bytes += static_cast<int64_t>(text.size()); }
  void operator()(const TextPart& part) { Add(part.text); }
  void operator()(const RefusalPart& part) { Add(part.text); }
  void operator()(const ThinkingPart& part) { Add(part.text); }
  void operator()(const ImagePart&) { tokens += kPerImage; }
  void operator()(const ToolCallPart& part) {
    Add(part.name);
    Add(part.arguments);
  }
  void operator()(const ToolResultPart& part) {
    for (const auto& piece : part.content) std::visit(*this, piece);
  }
};

}  // namespace

int64_t EstimateTokens(const Chat& chat) {
  Size size;
  for (const ChatMessage& message : chat.messages) {
    size.tokens += kPerMessage;
    for (const Part& part : message.parts) std::visit(size, part);
  }
  for (const Tool& tool : chat.tools) {
    size.Add(tool.name);
    size.Add(tool.description);
    size.Add(tool.parameters);
  }
  return size.tokens + (size.bytes + kBytesPerToken - 1) / kBytesPerToken;
}

}  // namespace llm_router
