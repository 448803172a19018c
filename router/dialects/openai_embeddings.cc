// openai.embeddings, the wire format of OpenAI's embeddings
// (https://platform.openai.com/docs/api-reference/embeddings). Vectors pass through as they are; only the
// request is checked and the usage read.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "router/dialects/codecs.h"
#include "router/dialects/json_dialect.h"
#include "router/dialects/json_node.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/provider_reply.h"

namespace llm_router {
namespace {

constexpr BodyKind kRequest{Fault::kInvalidRequest, "the body",
                            "It must be an OpenAI embeddings request, a JSON object."};
constexpr size_t kMaxInputs = 2048;  // OpenAI's

bool AreTokens(const Json& list) {
  return list.is_array() && !list.empty() &&
         std::ranges::all_of(list, [](const Json& token) { return token.is_number_unsigned(); });
}

bool IsInput(const Json& input) {
  if (input.is_string()) return input != "";
  if (!input.is_array() || input.empty()) return false;
  if (AreTokens(input)) return true;
  if (input.size() > kMaxInputs) return false;
  return std::ranges::all_of(input, [](const Json& item) { return item.is_string() && item != ""; }) ||
         std::ranges::all_of(input, AreTokens);
}

class OpenAiEmbeddingsCodec final : public JsonDialect {
 public:
  OpenAiEmbeddingsCodec() : JsonDialect({"data", openai_chat::ParseUsage}) {}

  std::string_view name() const override { return contract::dialect::kOpenAiEmbeddings; }
  DialectKind kind() const override { return DialectKind::kEmbeddings; }

  absl::StatusOr<Chat> ParseRequest(std::string_view body) const override {
    ASSIGN_OR_RETURN(const Json json, ParseBody(body, kRequest));
    const Node request(json, kRequest);
    Chat chat;
    RETURN_IF_ERROR(request.Read("model", chat.model));
    const auto input = request.Find("input");
    if (!input || !IsInput(input->json()))
      return request.Wrong(
          "input", "must be a text, or a list of at most 2048 texts, of tokens or of lists of tokens");
    std::string format;
    RETURN_IF_ERROR(request.Read("encoding_format", format));
    if (!format.empty() && format != "float" && format != "base64")
      return request.Wrong("encoding_format", "must be float or base64");
    return chat;
  }

  absl::StatusOr<std::string> RenderRequest(const Chat&, Warnings&) const override {
    return MakeFault(Fault::kInvalidRequest,
                     "a chat can't be sent as embeddings: choose a route whose target speaks a chat dialect");
  }

  absl::StatusOr<ChatReply> ParseReply(std::string_view body) const override {
    ASSIGN_OR_RETURN(const Json json, ParseProviderReply(body));
    const Node root(json, kProviderReply);
    const auto data = root.Find("data");
    if (!data || !data->IsArray()) return root.Wrong("data", "must be a list of embeddings");
    ChatReply reply;
    RETURN_IF_ERROR(root.Read("model", reply.model));
    RETURN_IF_ERROR(openai_chat::ParseUsage(root, reply.usage));
    return reply;
  }

  // Words are no vectors.
  std::string RenderReply(const ChatReply& reply, Warnings& warnings) const override {
    if (!reply.parts.empty()) AddNote(warnings, "an answer in words dropped");
    Json json = {{"object", "list"}, {"data", Json::array()}, {"model", reply.model}};
    const int64_t tokens = reply.usage ? reply.usage->input_tokens : 0;
    json["usage"] = {{"prompt_tokens", tokens}, {"total_tokens", tokens}};
    return DumpJson(json);
  }

  std::string ErrorFrame(const absl::Status& failure) const override {
    return SseText({}, contract::ErrorBody(name(), failure));
  }
};

}  // namespace

const Dialect& OpenAiEmbeddings() {
  static const OpenAiEmbeddingsCodec kCodec;
  return kCodec;
}

}  // namespace llm_router
