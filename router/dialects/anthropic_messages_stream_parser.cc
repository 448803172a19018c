#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/anthropic_messages_usage.h"
#include "router/dialects/notes.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::anthropic_messages {
namespace {

// The text that a block has from its start; Anthropic's have none, servers that imitate it may.
absl::Status ReadStart(const Node& block, std::vector<Part>& parts, std::string& text) {
  const std::string_view type = block.Type();
  if (type == "text") {
    parts.emplace_back(TextPart());
    return block.Read("text", text);
  }
  if (type == "tool_use") {
    RETURN_IF_ERROR(ParseToolUse(block, parts));
    text = std::exchange(std::get<ToolCallPart>(parts.back()).arguments, {});
    if (text == "{}") text.clear();
    return absl::OkStatus();
  }
  if (type != "thinking" && type != "redacted_thinking") return absl::OkStatus();
  RETURN_IF_ERROR(ParseThinking(block, parts));
  text = std::exchange(std::get<ThinkingPart>(parts.back()).text, {});
  return absl::OkStatus();
}

class StreamParser final : public ReplyParser {
 public:
  absl::Status Read(const SseFrame& frame, std::vector<ReplyEvent>& events) override {
    if (frame.data.empty() || complete_) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Json json, ParseStreamFrame(frame.data));
    const Node event(json, kStreamFrame);
    const std::string_view type = event.Type().empty() ? frame.event : event.Type();
    if (type == "message_start") return ReadMessage(event, events);
    if (type == "content_block_start") return ReadBlock(event, events);
    if (type == "content_block_delta") return ReadDelta(event, events);
    if (type == "content_block_stop") return ReadStop(event, events);
    if (type == "message_delta") return ReadEnd(event);
    if (type == "message_stop") return End(events);
    if (type.empty()) return event.Wrong("type", "must be a string");
    return absl::OkStatus();  // a ping, or what is yet to be invented
  }

  bool complete() const override { return complete_; }
  const std::vector<std::string>& unknown() const override { return unknown_; }

 private:
  struct Block {
    size_t part = 0;
    bool is_call = false;
    bool is_thinking = false;
    bool said = false;
  };

  absl::Status ReadMessage(const Node& event, std::vector<ReplyEvent>& events) {
    const auto message = event.Find("message");
    if (!message || !message->IsObject() || begun_) return event.Wrong("message", "must be an object, once");
    begun_ = true;
    ReplyBegin begin;
    RETURN_IF_ERROR(message->Read("id", begin.id));
    RETURN_IF_ERROR(message->Read("model", begin.model));
    RETURN_IF_ERROR(usage_.Read(*message));
    begin.usage = usage_.usage();
    events.emplace_back(std::move(begin));
    return absl::OkStatus();
  }

  absl::Status ReadIndex(const Node& event, int64_t& index) const {
    std::optional<int64_t> read;
    RETURN_IF_ERROR(event.Read("index", read));
    if (!read || !begun_) return event.Wrong("index", "must be a number, after a message_start");
    index = *read;
    return absl::OkStatus();
  }

  // Blocks of a kind that has no place in Chat leave their deltas without a part.
  absl::Status ReadBlock(const Node& event, std::vector<ReplyEvent>& events) {
    int64_t index = 0;
    RETURN_IF_ERROR(ReadIndex(event, index));
    const auto block = event.Find("content_block");
    if (!block || block->Type().empty()) return event.Wrong("content_block", "must be an object with a type");
    std::vector<Part> parts;
    std::string text;
    RETURN_IF_ERROR(ReadStart(*block, parts, text));
    blocks_.erase(index);
    if (parts.empty()) {
      AddNote(unknown_, fmt::format("content of type {}", Excerpt(block->Type(), 40)));
      return absl::OkStatus();
    }
    if (parts_ >= kMaxStreamParts) return TooManyParts();
    const Block begun{parts_++, std::holds_alternative<ToolCallPart>(parts[0]),
                      std::holds_alternative<ThinkingPart>(parts[0]), !text.empty()};
    blocks_[index] = begun;
    events.emplace_back(PartBegin{begun.part, std::move(parts[0])});
    if (!text.empty()) events.emplace_back(PartDelta{begun.part, std::move(text)});
    return absl::OkStatus();
  }

  absl::Status ReadDelta(const Node& event, std::vector<ReplyEvent>& events) {
    int64_t index = 0;
    RETURN_IF_ERROR(ReadIndex(event, index));
    const auto delta = event.Find("delta");
    if (!delta || delta->Type().empty()) return event.Wrong("delta", "must be an object with a type");
    const auto block = blocks_.find(index);
    if (block == blocks_.end()) return absl::OkStatus();
    const std::string_view type = delta->Type();
    if (type == "signature_delta") return ReadSignature(*delta, block->second, events);
    if (type == "citations_delta") {
      AddNote(unknown_, "citations");
      return absl::OkStatus();
    }
    std::string text;
    for (const auto& [of_type, member] : {std::pair("text_delta", "text"),
                                          {"thinking_delta", "thinking"},
                                          {"input_json_delta", "partial_json"}}) {
      if (type == of_type) RETURN_IF_ERROR(delta->Read(member, text));
    }
    if (text.empty()) return absl::OkStatus();
    block->second.said = true;
    events.emplace_back(PartDelta{block->second.part, std::move(text)});
    return absl::OkStatus();
  }

  absl::Status ReadSignature(const Node& delta, const Block& block, std::vector<ReplyEvent>& events) {
    if (!block.is_thinking) {
      AddNote(unknown_, "signature of what is no thinking");
      return absl::OkStatus();
    }
    PartSignature proof{block.part, {}};
    RETURN_IF_ERROR(delta.Read("signature", proof.signature));
    if (!proof.signature.empty()) events.emplace_back(std::move(proof));
    return absl::OkStatus();
  }

  // A tool without arguments gets an empty object.
  absl::Status ReadStop(const Node& event, std::vector<ReplyEvent>& events) {
    int64_t index = 0;
    RETURN_IF_ERROR(ReadIndex(event, index));
    const auto block = blocks_.find(index);
    if (block == blocks_.end()) return absl::OkStatus();
    if (block->second.is_call && !block->second.said)
      events.emplace_back(PartDelta{block->second.part, "{}"});
    blocks_.erase(block);
    return absl::OkStatus();
  }

  absl::Status ReadEnd(const Node& event) {
    RETURN_IF_ERROR(usage_.Read(event));
    const auto delta = event.Find("delta");
    if (!delta) return absl::OkStatus();
    std::string reason;
    RETURN_IF_ERROR(delta->Read("stop_reason", reason));
    if (!reason.empty()) end_.finish = FinishNamed(reason);
    return delta->Read("stop_sequence", end_.stop_sequence);
  }

  absl::Status End(std::vector<ReplyEvent>& events) {
    if (!begun_) return MakeFault(Fault::kProviderBadReply, "the provider's stream ended before it began");
    end_.usage = usage_.usage();
    events.emplace_back(std::move(end_));
    complete_ = true;
    return absl::OkStatus();
  }

  bool begun_ = false;
  bool complete_ = false;
  size_t parts_ = 0;
  std::map<int64_t, Block> blocks_;  // those that are open, by Anthropic's index
  UsageReader usage_;
  ReplyEnd end_{Finish::kUnknown, {}, {}};
  std::vector<std::string> unknown_;
};

}  // namespace

std::unique_ptr<ReplyParser> NewParser() { return std::make_unique<StreamParser>(); }

}  // namespace llm_router::anthropic_messages
