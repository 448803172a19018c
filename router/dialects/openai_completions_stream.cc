#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/openai_completions.h"
#include "router/dialects/provider_reply.h"
#include "router/dialects/text.h"

namespace llm_router::openai_completions {
namespace {

class StreamParser final : public ReplyParser {
 public:
  absl::Status Read(const SseFrame& frame, std::vector<ReplyEvent>& events) override {
    if (frame.data.empty() || complete_) return absl::OkStatus();
    if (frame.data == "[DONE]") return End(events);
    ASSIGN_OR_RETURN(const Json json, ParseStreamFrame(frame.data));
    const Node chunk(json, kStreamFrame);
    if (head_.id.empty()) RETURN_IF_ERROR(chunk.Read("id", head_.id));
    if (head_.model.empty()) RETURN_IF_ERROR(chunk.Read("model", head_.model));
    if (const auto created = chunk.Find("created"); created && created->json().is_number_integer())
      head_.created = created->json().get<int64_t>();
    RETURN_IF_ERROR(openai_chat::ParseUsage(chunk, usage_));
    return chunk.ForEach("choices", [&](const Node& choice) { return ReadChoice(choice, events); });
  }

  bool complete() const override { return complete_; }
  const std::vector<std::string>& unknown() const override { return unknown_; }

 private:
  absl::Status ReadChoice(const Node& choice, std::vector<ReplyEvent>& events) {
    std::optional<int64_t> number;
    RETURN_IF_ERROR(choice.Read("index", number));
    if (number.value_or(0) != 0) {
      AddNote(unknown_, "choices after the first");
      return absl::OkStatus();
    }
    if (!std::exchange(begun_, true)) events.emplace_back(head_);
    if (choice.Find("logprobs")) AddNote(unknown_, "logprobs");
    std::string text;
    RETURN_IF_ERROR(choice.Read("text", text));
    if (!text.empty() && !std::exchange(said_, true)) events.emplace_back(PartBegin{0, TextPart()});
    if (!text.empty()) events.emplace_back(PartDelta{0, std::move(text)});
    return choice.Read("finish_reason", reason_);
  }

  absl::Status End(std::vector<ReplyEvent>& events) {
    if (!begun_) return MakeFault(Fault::kProviderBadReply, "the provider's stream ended before it began");
    events.emplace_back(ReplyEnd{openai_chat::FinishNamed(reason_), {}, usage_});
    complete_ = true;
    return absl::OkStatus();
  }

  ReplyBegin head_;
  bool begun_ = false;
  bool said_ = false;
  bool complete_ = false;
  std::string reason_;
  std::optional<ChatUsage> usage_;
  std::vector<std::string> unknown_;
};

class StreamWriter final : public ReplyWriter {
 public:
  StreamWriter(const StreamWishes& wishes, Warnings& warnings)
      : usage_(wishes.usage), warnings_(warnings), text_(text::NewWriter(warnings)) {}

  std::string Write(const ReplyEvent& event) override {
    if (const auto* begin = std::get_if<ReplyBegin>(&event)) Begin(*begin);
    if (const auto* end = std::get_if<ReplyEnd>(&event)) return End(*end);
    if (const auto* part = std::get_if<PartBegin>(&event))
      refuses_ = refuses_ || std::holds_alternative<RefusalPart>(part->part);
    const std::string text = text_->Write(event);
    return text.empty() ? std::string() : Chunk(QuoteJson(text), "null");
  }

 private:
  void Begin(const ReplyBegin& begin) {
    head_ = fmt::format(R"({{"id":{},"object":"text_completion","created":{},"model":{},"choices":[)",
                        QuoteJson(begin.id.empty() ? fmt::format("cmpl-{}", NewId()) : begin.id),
                        begin.created > 0 ? begin.created : UnixMillis() / 1000, QuoteJson(begin.model));
  }

  std::string End(const ReplyEnd& end) {
    const Finish finish = end.finish == Finish::kToolCalls ? Finish::kStop : end.finish;
    const std::string_view reason = openai_chat::FinishName(finish, refuses_, warnings_);
    std::string frames = Chunk("\"\"", fmt::format(R"("{}")", reason));
    if (usage_ && end.usage) {
      const std::string usage = DumpJson(openai_chat::RenderUsage(*end.usage, warnings_));
      frames += SseText({}, fmt::format(R"({}],"usage":{}}})", head_, usage));
    }
    return frames += SseText({}, "[DONE]");
  }

  std::string Chunk(std::string_view text, std::string_view reason) const {
    return SseText({}, fmt::format(R"({}{{"index":0,"text":{},"logprobs":null,"finish_reason":{}}}]{}}})",
                                   head_, text, reason, usage_ ? R"(,"usage":null)" : ""));
  }

  const bool usage_;
  Warnings& warnings_;
  const std::unique_ptr<ReplyWriter> text_;
  std::string head_;
  bool refuses_ = false;
};

}  // namespace

std::unique_ptr<ReplyParser> NewParser() { return std::make_unique<StreamParser>(); }

std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings) {
  return std::make_unique<StreamWriter>(wishes, warnings);
}

}  // namespace llm_router::openai_completions
