#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/simulate/embedding.h"
#include "router/simulate/openai_base.h"
#include "router/simulate/openai_prompts.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kSmall = 1536;
constexpr size_t kLarge = 3072;

class Embeddings final : public OpenAiBase {
 public:
  Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const override {
    return CheckOpenAiEmbedding(body, more);
  }

  Conversation Read(const Json& body) const override {
    Conversation conversation;
    conversation.api = "openai";
    conversation.model = Text(At(body, "model"));
    for (std::string& input : PromptsOf(At(body, "input"))) {
      conversation.turns.push_back({"user", std::move(input)});
    }
    for (const char* name : {"dimensions", "encoding_format"}) {
      const Json& value = At(body, name);
      if (!value.is_null()) conversation.parameters[name] = Dump(value);
    }
    return conversation;
  }

  std::string Render(const Conversation& conversation, const Answer& answer) const override {
    const std::string base64 = FindParameter(conversation, "encoding_format");
    const size_t size = SizeFor(conversation);
    std::string data;
    for (size_t i = 0; i < conversation.turns.size(); ++i) {
      const std::vector<float> vector = EmbeddingOf(conversation.model, conversation.turns[i].text, size);
      data +=
          fmt::format(R"({}{{"object":"embedding","index":{},"embedding":{}}})", i == 0 ? "" : ",", i,
                      base64 == R"("base64")" ? Dump(EmbeddingAsBase64(vector)) : EmbeddingAsJson(vector));
    }
    return fmt::format(
        R"({{"object":"list","data":[{}],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
        data, Dump(conversation.model), answer.input_tokens, answer.input_tokens);
  }

  std::unique_ptr<StreamWriter> Stream(const Conversation&, const Answer&) const override { return nullptr; }

 private:
  static std::string FindParameter(const Conversation& conversation, const std::string& name) {
    const auto found = conversation.parameters.find(name);
    return found == conversation.parameters.end() ? std::string() : found->second;
  }

  static size_t SizeFor(const Conversation& conversation) {
    const Json wanted = Json::parse(FindParameter(conversation, "dimensions"), nullptr, false);
    if (wanted.is_number_unsigned()) return std::clamp<size_t>(wanted.get<size_t>(), 1, kLarge);
    return conversation.model.find("3-large") == std::string::npos ? kSmall : kLarge;
  }
};

}  // namespace

const Api& OpenAiEmbeddingsApi() {
  static const Embeddings api;
  return api;
}

}  // namespace llm_router::simulate
