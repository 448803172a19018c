#include "router/dialects/anthropic_messages.h"

#include "proto/contract.h"
#include "router/dialects/anthropic_messages_usage.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"

namespace llm_router {
namespace {

class AnthropicMessagesCodec final : public JsonDialect {
 public:
  AnthropicMessagesCodec() : JsonDialect({"content", anthropic_messages::ParseUsage}) {}

  std::string_view name() const override { return contract::dialect::kAnthropicMessages; }
  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    return anthropic_messages::ParseRequest(body);
  }
  absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const override {
    return anthropic_messages::RenderRequest(chat, warnings);
  }
  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    return anthropic_messages::ParseReply(body);
  }
  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    return anthropic_messages::RenderReply(reply, warnings);
  }
  std::unique_ptr<ReplyParser> NewParser() const override { return anthropic_messages::NewParser(); }
  std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes&, Warnings& warnings) const override {
    return anthropic_messages::NewWriter(warnings);
  }
  std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) const override {
    return anthropic_messages::NewRelay(wishes);
  }
  std::string ErrorFrame(const absl::Status& failure) const override {
    return SseText("error", contract::ErrorBody(name(), failure));
  }
};

}  // namespace

const Dialect& AnthropicMessages() {
  static const AnthropicMessagesCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
