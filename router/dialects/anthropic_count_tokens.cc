// anthropic.count_tokens: a Messages request without a limit in, {"input_tokens": N} out
// (https://docs.anthropic.com/en/api/messages-count-tokens).
#include <array>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"
#include "router/dialects/notes.h"
#include "router/dialects/provider_reply.h"

namespace llm_router {
namespace {

// What has no tokens, and is refused.
constexpr auto kUncounted = std::to_array<const char*>(
    {"max_tokens", "metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p"});

class AnthropicCountTokensCodec final : public JsonDialect {
 public:
  AnthropicCountTokensCodec() : JsonDialect({}) {}

  std::string_view name() const override { return contract::dialect::kAnthropicCountTokens; }
  DialectKind kind() const override { return DialectKind::kTokenCount; }

  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    return anthropic_messages::ParseRequest(body);
  }

  absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const override {
    ASSIGN_OR_RETURN(const std::string whole, anthropic_messages::RenderRequest(chat, warnings));
    Json request = Json::parse(whole);
    for (const char* key : kUncounted) request.erase(key);
    return DumpJson(request);
  }

  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    ASSIGN_OR_RETURN(const Json json, ParseProviderReply(body));
    const Node root(json, kProviderReply);
    std::optional<int64_t> tokens;
    RETURN_IF_ERROR(ReadCount(root, "input_tokens", tokens));
    if (!tokens) return root.Wrong("input_tokens", "must be a whole number");
    ChatReply reply;
    reply.usage.emplace().input_tokens = *tokens;
    return reply;
  }

  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    if (!reply.usage) AddNote(warnings, "usage unknown, sent as 0");
    return DumpJson({{"input_tokens", reply.usage ? reply.usage->input_tokens : 0}});
  }

  std::string ErrorFrame(const absl::Status& failure) const override {
    return SseText("error", contract::ErrorBody(name(), failure));
  }
};

}  // namespace

const Dialect& AnthropicCountTokens() {
  static const AnthropicCountTokensCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
