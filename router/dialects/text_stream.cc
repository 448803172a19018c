#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/dialects/notes.h"
#include "router/dialects/text.h"

namespace llm_router::text {
namespace {

bool IsText(const Part& part) {
  return std::holds_alternative<TextPart>(part) || std::holds_alternative<RefusalPart>(part);
}

class Parser final : public ReplyParser {
 public:
  absl::Status Read(const SseFrame& frame, std::vector<ReplyEvent>& events) override {
    if (complete_) return absl::OkStatus();
    if (FirstBadUtf8(frame.data))
      return MakeFault(Fault::kProviderBadReply, "a piece of the reply is not valid UTF-8");
    if (!begun_) {
      events.emplace_back(ReplyBegin());
      events.emplace_back(PartBegin{0, TextPart()});
      begun_ = true;
    }
    complete_ = frame.data.empty();
    if (complete_) events.emplace_back(ReplyEnd());
    if (!complete_) events.emplace_back(PartDelta{0, std::string(frame.data)});
    return absl::OkStatus();
  }

  bool complete() const override { return complete_; }
  const std::vector<std::string>& unknown() const override { return unknown_; }

 private:
  bool begun_ = false;
  bool complete_ = false;
  std::vector<std::string> unknown_;
};

class Writer final : public ReplyWriter {
 public:
  explicit Writer(Warnings& warnings) : warnings_(warnings) {}

  std::string Write(const ReplyEvent& event) override {
    if (const auto* begin = std::get_if<PartBegin>(&event)) {
      WarnOfOther(begin->part, warnings_);
      is_text_.push_back(IsText(begin->part));
    }
    if (const auto* end = std::get_if<ReplyEnd>(&event)) WarnOfCut(end->finish, warnings_);
    const auto* delta = std::get_if<PartDelta>(&event);
    return delta != nullptr && is_text_.at(delta->index) ? delta->text : std::string();
  }

 private:
  Warnings& warnings_;
  std::vector<bool> is_text_;  // by the index of their part
};

class Relay final : public ReplyRelay {
 public:
  explicit Relay(const StreamWishes& wishes) : keep_whole_(wishes.keep_whole) {}

  absl::Status Watch(const SseFrame& frame) override {
    has_output_ = true;
    complete_ = frame.data.empty();
    if (keep_whole_) whole_ += frame.data;
    return absl::OkStatus();
  }
  bool forwards() const override { return !complete_; }
  bool has_output() const override { return has_output_; }
  bool complete() const override { return complete_; }
  const std::optional<ChatUsage>& usage() const override { return usage_; }
  const std::string& model() const override { return model_; }
  std::string TakeWhole() override { return std::move(whole_); }

 private:
  const bool keep_whole_;
  bool has_output_ = false;
  bool complete_ = false;
  std::optional<ChatUsage> usage_;
  std::string model_;
  std::string whole_;
};

}  // namespace

std::unique_ptr<ReplyParser> NewParser() { return std::make_unique<Parser>(); }
std::unique_ptr<ReplyWriter> NewWriter(Warnings& warnings) { return std::make_unique<Writer>(warnings); }
std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) { return std::make_unique<Relay>(wishes); }

void WarnOfOther(const Part& part, Warnings& warnings) {
  if (std::holds_alternative<ImagePart>(part)) AddNote(warnings, "images dropped");
  if (std::holds_alternative<ToolCallPart>(part)) AddNote(warnings, "tool calls dropped");
  if (std::holds_alternative<ToolResultPart>(part)) AddNote(warnings, "tool results dropped");
  if (std::holds_alternative<ThinkingPart>(part)) AddNote(warnings, "thinking dropped");
}

void WarnOfCut(Finish finish, Warnings& warnings) {
  if (finish == Finish::kLength) AddNote(warnings, "answer cut at max_tokens");
  if (finish == Finish::kContentFilter) AddNote(warnings, "answer cut by a content filter");
}

}  // namespace llm_router::text
