#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/json_peek.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/openai_chat_whole.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::openai_chat {
namespace {

// Anything but who speaks.
bool SaysSomething(const Json& delta) {
  for (const auto& [key, value] : delta.items()) {
    if (key != "role" && !value.is_null() && (value.is_primitive() ? value != "" : !value.empty()))
      return true;
  }
  return false;
}

class Relay final : public ReplyRelay {
 public:
  Relay(const StreamWishes& wishes, std::string_view object) : wishes_(wishes), whole_(object) {}

  absl::Status Watch(const SseFrame& frame) override {
    forwards_ = true;
    if (frame.data.empty()) return absl::OkStatus();
    if (frame.data == "[DONE]") {
      complete_ = has_output_ = true;
      return absl::OkStatus();
    }
    if (!wishes_.keep_whole && has_output_ && SaysNothingNew(frame.data)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Json json, ParseStreamFrame(frame.data));
    return Read(json);
  }

  bool forwards() const override { return forwards_; }
  bool has_output() const override { return has_output_; }
  bool complete() const override { return complete_; }
  const std::optional<ChatUsage>& usage() const override { return usage_; }
  const std::string& model() const override { return model_; }
  std::string TakeWhole() override { return wishes_.keep_whole ? whole_.Take() : std::string(); }

 private:
  // Once the reply runs, only usage and errors matter, and nearly every frame has neither. It is enough that
  // no key can be one of these: a text that looks like one costs a parse.
  static bool SaysNothingNew(std::string_view data) {
    return data.starts_with('{') && data.ends_with('}') && !MayHaveKey(data, {R"("usage")", R"("error")"});
  }

  absl::Status Read(const Json& json) {
    const Node chunk(json, kStreamFrame);
    if (model_.empty()) RETURN_IF_ERROR(chunk.Read("model", model_));
    RETURN_IF_ERROR(ParseUsage(chunk, usage_));
    const auto choices = chunk.Find("choices");
    if (choices && !choices->IsArray()) return choices->Wrong("must be a list");
    // OpenAI's last chunk, which is there only because we asked.
    const bool only_usage = chunk.Find("usage") && (!choices || choices->json().empty());
    forwards_ = wishes_.usage || !only_usage;
    if (choices) RETURN_IF_ERROR(choices->Items([this](const Node& choice) { return ReadChoice(choice); }));
    if (wishes_.keep_whole) whole_.Add(json);
    return absl::OkStatus();
  }

  absl::Status ReadChoice(const Node& choice) {
    const auto delta = choice.Find("delta");
    if (delta && !delta->IsObject()) return delta->Wrong("must be an object");
    const auto text = choice.Find("text");  // of completions
    has_output_ = has_output_ || choice.Find("finish_reason") || (text && text->json() != "") ||
                  (delta && SaysSomething(delta->json()));
    return absl::OkStatus();
  }

  const StreamWishes wishes_;
  bool forwards_ = true;
  bool has_output_ = false;
  bool complete_ = false;
  std::optional<ChatUsage> usage_;
  std::string model_;
  Whole whole_;
};

}  // namespace

std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes, std::string_view object) {
  return std::make_unique<Relay>(wishes, object);
}

}  // namespace llm_router::openai_chat
