// Chat completions as chunks.
#include "router/simulate/openai_stream.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "router/simulate/openai_base.h"

namespace llm_router::simulate {
namespace {

class Writer final : public StreamWriter {
 public:
  Writer(const Conversation& conversation, const Answer& answer)
      : conversation_(conversation), answer_(answer) {
    const Json common = {{"id", "chatcmpl-" + NewId()},    {"object", "chat.completion.chunk"},
                         {"created", UnixMillis() / 1000}, {"model", conversation.model},
                         {"service_tier", "default"},      {"system_fingerprint", "fp_simulated"}};
    head_ = Dump(common);
    head_.pop_back();  // of the brace that closes it
  }

  std::string Begin() override {
    const Json content = answer_.calls.empty() ? Json("") : Json();
    return Deltas(Dump({{"role", "assistant"}, {"content", content}, {"refusal", nullptr}}));
  }

  std::string Write(const Piece& piece) override {
    const std::string text = Dump(piece.text);
    switch (piece.kind) {
      case Piece::Kind::kReasoning:
        return Deltas(fmt::format(R"({{"reasoning_content":{}}})", text));
      case Piece::Kind::kText:
        return Deltas(fmt::format(R"({{"content":{}}})", text));
      case Piece::Kind::kArguments:
        break;
    }
    const std::string opening = piece.part < calls_begun_ ? std::string() : BeginCall(piece.part);
    return opening + Deltas(fmt::format(R"({{"tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}]}})",
                                        piece.part, text));
  }

  std::string End() override {
    std::string frames = Deltas("{}", Dump(OpenAiFinishReason(answer_)));
    if (conversation_.stream_usage) {
      frames += OpenAiFrame(
          fmt::format(R"({},"choices":[],"usage":{}}})", head_, Dump(OpenAiUsage(conversation_, answer_))));
    }
    return frames.append(kOpenAiDone);
  }

  std::string Error() override {
    return OpenAiFrame(OpenAiApi().RenderError(Refusal(500, "simulated error inside a stream"), ""));
  }

 private:
  // The same delta for every choice.
  std::string Deltas(std::string_view delta, std::string_view finish = "null") const {
    std::string frames;
    const std::string_view usage = conversation_.stream_usage ? R"(,"usage":null)" : "";
    for (int i = 0; i < conversation_.choices; ++i) {
      fmt::format_to(std::back_inserter(frames),
                     "data: {},\"choices\":[{{\"index\":{},\"delta\":{},\"logprobs\":null,"
                     "\"finish_reason\":{}}}]{}}}\n\n",
                     head_, i, delta, finish, usage);
    }
    return frames;
  }

  std::string BeginCall(size_t index) {
    calls_begun_ = index + 1;
    const CalledTool& call = answer_.calls[index];
    const Json begun = {{"index", index},
                        {"id", "call_" + call.id},
                        {"type", "function"},
                        {"function", {{"name", call.name}, {"arguments", ""}}}};
    return Deltas(Dump({{"tool_calls", Json::array({begun})}}));
  }

  const Conversation& conversation_;
  const Answer& answer_;
  std::string head_;  // what all chunks begin with
  size_t calls_begun_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> NewOpenAiStream(const Conversation& conversation, const Answer& answer) {
  return std::make_unique<Writer>(conversation, answer);
}

}  // namespace llm_router::simulate
