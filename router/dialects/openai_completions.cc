#include "router/dialects/openai_completions.h"

#include "proto/contract.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"
#include "router/dialects/openai_chat.h"

namespace llm_router {
namespace {

class OpenAiCompletionsCodec final : public JsonDialect {
 public:
  OpenAiCompletionsCodec() : JsonDialect({"choices", openai_chat::ParseUsage, true}) {}

  std::string_view name() const override { return contract::dialect::kOpenAiCompletions; }
  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    return openai_completions::ParseRequest(body);
  }
  absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const override {
    return openai_completions::RenderRequest(chat, warnings);
  }
  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    return openai_completions::ParseReply(body);
  }
  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    return openai_completions::RenderReply(reply, warnings);
  }
  std::unique_ptr<ReplyParser> NewParser() const override { return openai_completions::NewParser(); }
  std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings) const override {
    return openai_completions::NewWriter(wishes, warnings);
  }
  std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) const override {
    return openai_chat::NewRelay(wishes, "text_completion");
  }
  std::string ErrorFrame(const absl::Status& failure) const override {
    return SseText({}, contract::ErrorBody(name(), failure));
  }
};

}  // namespace

const Dialect& OpenAiCompletions() {
  static const OpenAiCompletionsCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
