#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/anthropic_messages_usage.h"
#include "router/dialects/anthropic_messages_whole.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::anthropic_messages {
namespace {

class Relay final : public ReplyRelay {
 public:
  explicit Relay(const StreamWishes& wishes) : keep_whole_(wishes.keep_whole) {}

  absl::Status Watch(const SseFrame& frame) override {
    if (frame.data.empty()) return absl::OkStatus();
    if (!keep_whole_ && has_output_ && SaysNothingNew(frame)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Json json, ParseStreamFrame(frame.data));
    const Node event(json, kStreamFrame);
    const std::string_view type = event.Type().empty() ? frame.event : event.Type();
    RETURN_IF_ERROR(Read(type, event));
    if (keep_whole_) whole_.Add(type, json);
    return absl::OkStatus();
  }

  bool forwards() const override { return true; }
  bool has_output() const override { return has_output_; }
  bool complete() const override { return complete_; }
  const std::optional<ChatUsage>& usage() const override { return usage_; }
  const std::string& model() const override { return model_; }
  std::string TakeWhole() override { return keep_whole_ ? whole_.Take() : std::string(); }

 private:
  // Once the reply runs, its deltas say nothing to us. SDKs go by the name of the event, others by the type
  // in the data: both must say so.
  static bool SaysNothingNew(const SseFrame& frame) {
    return frame.event == "content_block_delta" && frame.data.starts_with('{') && frame.data.ends_with('}') &&
           frame.data.find(R"("content_block_delta")") != frame.data.npos;
  }

  absl::Status Read(std::string_view type, const Node& event) {
    if (type == "message_start") {
      const auto message = event.Find("message");
      if (!message || !message->IsObject()) return event.Wrong("message", "must be an object");
      RETURN_IF_ERROR(message->Read("model", model_));
      return ReadUsage(*message);
    }
    if (type == "message_delta") return ReadUsage(event);
    if (type == "content_block_start") {
      const auto block = event.Find("content_block");
      has_output_ = has_output_ || (block && block->Type() != "text" && block->Type() != "thinking");
    }
    if (type == "content_block_delta" || type == "message_stop") has_output_ = true;
    if (type == "message_stop") complete_ = true;
    return absl::OkStatus();
  }

  absl::Status ReadUsage(const Node& holder) {
    RETURN_IF_ERROR(counts_.Read(holder));
    usage_ = counts_.usage();
    return absl::OkStatus();
  }

  const bool keep_whole_;
  bool has_output_ = false;
  bool complete_ = false;
  UsageReader counts_;
  std::optional<ChatUsage> usage_;
  std::string model_;
  Whole whole_;
};

}  // namespace

std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes) { return std::make_unique<Relay>(wishes); }

}  // namespace llm_router::anthropic_messages
