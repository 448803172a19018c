#include "router/dialects/openai_chat.h"

#include "proto/contract.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"

namespace llm_router {
namespace {

class OpenAiChatCodec final : public JsonDialect {
 public:
  OpenAiChatCodec() : JsonDialect(openai_chat::kRequest) {}

  std::string_view name() const override { return contract::dialect::kOpenAiChat; }
  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    return openai_chat::ParseRequest(body);
  }
  absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const override {
    return openai_chat::RenderRequest(chat, warnings);
  }
  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    return openai_chat::ParseReply(body);
  }
  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    return openai_chat::RenderReply(reply, warnings);
  }
};

}  // namespace

const Dialect& OpenAiChat() {
  static const OpenAiChatCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
