#include "router/pipeline/stream_course.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"

namespace llm_router {
namespace {

class Relayed final : public StreamCourse {
 public:
  explicit Relayed(std::unique_ptr<ReplyRelay> relay) : relay_(std::move(relay)) {}

  absl::Status Take(const SseFrame& frame, std::string& frames) override {
    RETURN_IF_ERROR(relay_->Watch(frame));
    if (relay_->forwards()) frames += frame.raw;
    return absl::OkStatus();
  }
  bool has_output() const override { return relay_->has_output(); }
  bool complete() const override { return relay_->complete(); }
  std::string TakeWhole() override { return relay_->TakeWhole(); }
  std::optional<ChatUsage> usage() const override { return relay_->usage(); }
  std::string model() const override { return relay_->model(); }

 private:
  std::unique_ptr<ReplyRelay> relay_;
};

class Converted final : public StreamCourse {
 public:
  Converted(Exchange& exchange, const Dialect& theirs, const StreamWishes& wishes)
      : exchange_(exchange),
        keeps_(wishes.keep_whole),
        parser_(theirs.NewParser()),
        writer_(exchange.dialect->NewWriter(wishes, exchange.warnings)) {}

  absl::Status Take(const SseFrame& frame, std::string& frames) override {
    events_.clear();
    RETURN_IF_ERROR(parser_->Read(frame, events_));
    for (const ReplyEvent& event : events_) {
      frames += writer_->Write(event);
      Note(event);
    }
    return absl::OkStatus();
  }
  bool has_output() const override { return has_output_; }
  bool complete() const override { return parser_->complete(); }
  std::string TakeWhole() override {
    WarnOfUnknown(parser_->unknown(), exchange_.warnings);
    if (!keeps_) return {};
    return exchange_.dialect->RenderReply(assembler_.Take(parser_->unknown()), exchange_.warnings);
  }
  std::optional<ChatUsage> usage() const override { return usage_; }
  std::string model() const override { return model_; }

 private:
  void Note(const ReplyEvent& event) {
    has_output_ = has_output_ || IsOutput(event);
    if (const auto* begin = std::get_if<ReplyBegin>(&event)) model_ = begin->model;
    if (const auto* end = std::get_if<ReplyEnd>(&event)) usage_ = end->usage;
    if (keeps_) assembler_.Add(event);
  }

  Exchange& exchange_;
  const bool keeps_;
  const std::unique_ptr<ReplyParser> parser_;
  const std::unique_ptr<ReplyWriter> writer_;
  ReplyAssembler assembler_;
  std::vector<ReplyEvent> events_;
  bool has_output_ = false;
  std::string model_;
  std::optional<ChatUsage> usage_;
};

}  // namespace

std::unique_ptr<StreamCourse> MakeStreamCourse(Exchange& exchange, const Dialect& theirs) {
  const StreamWishes wishes{.usage = exchange.chat.stream_usage, .keep_whole = exchange.tags.whole};
  if (&theirs == exchange.dialect) return std::make_unique<Relayed>(theirs.NewRelay(wishes));
  return std::make_unique<Converted>(exchange, theirs, wishes);
}

}  // namespace llm_router
