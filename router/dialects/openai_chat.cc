#include "router/dialects/openai_chat.h"

#include "proto/contract.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"

namespace llm_router {
namespace {

class OpenAiChatCodec final : public JsonDialect {
 public:
  OpenAiChatCodec() : JsonDialect({"choices", openai_chat::ParseUsage, true}) {}

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
  std::unique_ptr<ReplyParser> NewParser() const override { return openai_chat::NewParser(); }
  std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings) const override {
    return openai_chat::NewWriter(wishes, warnings);
  }
  std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) const override {
    return openai_chat::NewRelay(wishes, "chat.completion");
  }
  std::string ErrorFrame(const absl::Status& failure) const override {
    return SseText({}, contract::ErrorBody(name(), failure));
  }
};

}  // namespace

const Dialect& OpenAiChat() {
  static const OpenAiChatCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
