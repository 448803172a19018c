// Text completions, whole and as chunks.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "router/simulate/openai_base.h"
#include "router/simulate/openai_prompts.h"

namespace llm_router::simulate {
namespace {

Json Common(const Conversation& conversation) {
  return {{"id", "cmpl-" + NewId()},
          {"object", "text_completion"},
          {"created", UnixMillis() / 1000},
          {"model", conversation.model},
          {"system_fingerprint", "fp_simulated"}};
}

const Answer& Nth(const Answer* first, size_t prompt) {
  return prompt == 0 ? *first : first->others[prompt - 1];
}

class Writer final : public StreamWriter {
 public:
  Writer(const Conversation& conversation, const Answer& answer)
      : conversation_(conversation), answer_(answer), head_(Dump(Common(conversation))) {
    head_.pop_back();  // of the brace that closes it
  }

  std::string Begin() override { return {}; }

  // It has no reasoning to show.
  std::string Write(const Piece& piece) override {
    return piece.kind == Piece::Kind::kText ? Chunks(piece.part, piece.text) : std::string();
  }

  std::string End() override {
    std::string frames;
    for (size_t i = 0; i <= answer_.others.size(); ++i) {
      frames += Chunks(i, "", Dump(OpenAiFinishReason(Nth(&answer_, i))));
    }
    if (conversation_.stream_usage) {
      frames += OpenAiFrame(
          fmt::format(R"({},"choices":[],"usage":{}}})", head_, Dump(OpenAiUsage(conversation_, answer_))));
    }
    return frames.append(kOpenAiDone);
  }

  std::string Error() override {
    return OpenAiFrame(
        OpenAiCompletionsApi().RenderError(Refusal(500, "simulated error inside a stream"), ""));
  }

 private:
  // The same text for every choice of that prompt.
  std::string Chunks(size_t prompt, std::string_view text, std::string_view finish = "null") const {
    std::string frames;
    const auto choices = static_cast<size_t>(conversation_.choices);
    for (size_t i = 0; i < choices; ++i) {
      frames += OpenAiFrame(fmt::format(
          R"({},"choices":[{{"text":{},"index":{},"logprobs":null,"finish_reason":{}}}]{}}})", head_,
          Dump(text), prompt * choices + i, finish, conversation_.stream_usage ? R"(,"usage":null)" : ""));
    }
    return frames;
  }

  const Conversation& conversation_;
  const Answer& answer_;
  std::string head_;  // what all chunks begin with
};

class Completions final : public OpenAiBase {
 public:
  Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const override {
    return CheckOpenAiCompletion(body, more);
  }

  Conversation Read(const Json& body) const override {
    Conversation conversation;
    conversation.api = "openai";
    conversation.model = Text(At(body, "model"));
    for (std::string& prompt : PromptsOf(At(body, "prompt"))) {
      conversation.turns.push_back({"user", std::move(prompt)});
    }
    conversation.apart = true;
    conversation.echo = At(body, "echo") == true;
    ReadOpenAiStops(At(body, "stop"), conversation);
    ReadOpenAiStream(body, conversation);
    for (const auto& [name, value] : body.items()) {
      const bool shown = name == "model" || name == "prompt" || name == "stream" || name == "stream_options";
      if (!shown && !value.is_null()) conversation.parameters[name] = Dump(value);
    }
    const Json& limit = At(body, "max_tokens");
    if (limit.is_number_unsigned()) conversation.max_tokens = limit.get<size_t>();
    conversation.choices = ReadOpenAiChoices(body);
    return conversation;
  }

  std::string Render(const Conversation& conversation, const Answer& answer) const override {
    Json choices = Json::array();
    for (size_t prompt = 0; prompt <= answer.others.size(); ++prompt) {
      const Answer& one = Nth(&answer, prompt);
      for (int i = 0; i < conversation.choices; ++i) {
        choices.push_back({{"text", one.text},
                           {"index", choices.size()},
                           {"logprobs", nullptr},
                           {"finish_reason", OpenAiFinishReason(one)}});
      }
    }
    Json reply = Common(conversation);
    reply["choices"] = std::move(choices);
    reply["usage"] = OpenAiUsage(conversation, answer);
    return Dump(reply);
  }

  std::unique_ptr<StreamWriter> Stream(const Conversation& conversation,
                                       const Answer& answer) const override {
    return std::make_unique<Writer>(conversation, answer);
  }
};

}  // namespace

const Api& OpenAiCompletionsApi() {
  static const Completions api;
  return api;
}

}  // namespace llm_router::simulate
