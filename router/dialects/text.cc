// The dialect `text`: a prompt in, an answer out. What else a text query asks for comes in tags.
#include "router/dialects/text.h"

#include <fmt/format.h>

#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/codecs.h"
#include "router/dialects/notes.h"

namespace llm_router {
namespace {

class TextCodec final : public Dialect {
 public:
  std::string_view name() const override { return contract::dialect::kText; }

  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    if (const auto at = FirstBadUtf8(body))
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("the prompt is not valid UTF-8 (byte {}): send text as UTF-8", *at + 1));
    if (body.find_first_not_of(" \t\r\n\v\f") == body.npos)
      return MakeFault(Fault::kInvalidRequest, "empty prompt: put the question into the body");
    Chat chat;
    chat.messages.emplace_back(Role::kUser, std::vector<Part>{TextPart{std::string(body)}});
    return chat;
  }

  absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const override {
    WarnOfUnknown(chat.unknown, warnings);
    return text::PromptOf(chat, warnings);
  }

  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    if (const auto at = FirstBadUtf8(body))
      return MakeFault(Fault::kProviderBadReply,
                       fmt::format("the reply is not valid UTF-8 (byte {})", *at + 1));
    ChatReply reply;
    reply.parts.push_back(TextPart{std::string(body)});
    return reply;
  }

  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    WarnOfUnknown(reply.unknown, warnings);
    text::WarnOfCut(reply.finish, warnings);
    return text::TextOf(reply.parts, warnings);
  }

  // A text query names its model in a tag.
  std::string WithModel(std::string_view body, std::string_view, bool) const override {
    return std::string(body);
  }

  ProviderError ParseError(std::string_view body) const override {
    ProviderError error;
    error.message = Excerpt(body, 500);
    return error;
  }

  std::unique_ptr<ReplyParser> NewParser() const override { return text::NewParser(); }
  std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes&, Warnings& warnings) const override {
    return text::NewWriter(warnings);
  }
  std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) const override {
    return text::NewRelay(wishes);
  }
  std::string ErrorFrame(const absl::Status&) const override { return {}; }
};

}  // namespace

std::string text::TextOf(const std::vector<Part>& parts, Warnings& warnings) {
  std::string text;
  for (const Part& part : parts) {
    if (const auto* said = std::get_if<TextPart>(&part)) text += said->text;
    if (const auto* refused = std::get_if<RefusalPart>(&part)) text += refused->text;
    WarnOfOther(part, warnings);
  }
  return text;
}

std::string text::PromptOf(const Chat& chat, Warnings& warnings) {
  std::string prompt;
  for (const ChatMessage& message : chat.messages) {
    const std::string text = TextOf(message.parts, warnings);
    if (!prompt.empty() && !text.empty()) prompt += "\n\n";
    prompt += text;
  }
  return prompt;
}

const Dialect& PlainText() {
  static const TextCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
