#include "router/simulate/anthropic_stream.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "broker_adapters/base/ids.h"
#include "router/simulate/api.h"

namespace llm_router::simulate {
namespace {

std::string Event(const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", Text(At(data, "type")), Dump(data));
}

// Opens and closes blocks as the kinds of pieces change.
class Writer final : public StreamWriter {
 public:
  Writer(const Conversation& conversation, const Answer& answer)
      : conversation_(conversation), answer_(answer) {}

  std::string Begin() override {
    Json message = AnthropicMessage(conversation_);
    message["usage"] = AnthropicUsage(answer_);
    message["usage"]["output_tokens"] = 1;
    return Event({{"type", "message_start"}, {"message", std::move(message)}});
  }

  std::string Write(const Piece& piece) override {
    return Enter(piece.kind, piece.part).append(Delta(piece));
  }

  std::string End() override {
    std::string frames;
    if (!open_.has_value()) frames = Enter(Piece::Kind::kText, 0);
    frames += Leave();
    const Json sequence = answer_.stop_sequence.empty() ? Json() : Json(answer_.stop_sequence);
    frames += Event({{"type", "message_delta"},
                     {"delta", {{"stop_reason", AnthropicStopReason(answer_)}, {"stop_sequence", sequence}}},
                     {"usage", {{"output_tokens", answer_.output_tokens}}}});
    return frames + Event({{"type", "message_stop"}});
  }

  std::string Error() override {
    return Event({{"type", "error"},
                  {"error", {{"type", "overloaded_error"}, {"message", "simulated error inside a stream"}}}});
  }

 private:
  std::string Delta(const Piece& piece) const {
    const auto event = [&](std::string_view type, std::string_view field) {
      return fmt::format(
          "event: content_block_delta\n"
          R"(data: {{"type":"content_block_delta","index":{},"delta":{{"type":"{}","{}":{}}}}})"
          "\n\n",
          index_, type, field, Dump(piece.text));
    };
    switch (piece.kind) {
      case Piece::Kind::kReasoning:
        return event("thinking_delta", "thinking");
      case Piece::Kind::kArguments:
        return event("input_json_delta", "partial_json");
      case Piece::Kind::kText:
        break;
    }
    return event("text_delta", "text");
  }

  std::string Enter(Piece::Kind kind, size_t part) {
    if (open_ == kind && part_ == part) return {};
    const bool first = !open_.has_value();
    std::string frames = first ? std::string() : Leave();
    open_ = kind;
    part_ = part;
    frames += Event(
        {{"type", "content_block_start"}, {"index", index_}, {"content_block", EmptyBlock(kind, part)}});
    if (first) frames += Event({{"type", "ping"}});
    return frames;
  }

  Json EmptyBlock(Piece::Kind kind, size_t part) const {
    switch (kind) {
      case Piece::Kind::kReasoning:
        return {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
      case Piece::Kind::kArguments:
        return {{"type", "tool_use"},
                {"id", "toolu_" + answer_.calls[part].id},
                {"name", answer_.calls[part].name},
                {"input", Json::object()}};
      case Piece::Kind::kText:
        break;
    }
    return {{"type", "text"}, {"text", ""}};
  }

  std::string Leave() {
    std::string frames;
    if (open_ == Piece::Kind::kReasoning) {
      const Json delta = {{"type", "signature_delta"}, {"signature", SignatureOf(answer_.reasoning)}};
      frames = Event({{"type", "content_block_delta"}, {"index", index_}, {"delta", delta}});
    }
    return frames + Event({{"type", "content_block_stop"}, {"index", index_++}});
  }

  const Conversation& conversation_;
  const Answer& answer_;
  std::optional<Piece::Kind> open_;  // what the present block is of
  size_t part_ = 0;
  size_t index_ = 0;  // of the present block
};

}  // namespace

std::unique_ptr<StreamWriter> NewAnthropicStream(const Conversation& conversation, const Answer& answer) {
  return std::make_unique<Writer>(conversation, answer);
}

Json AnthropicMessage(const Conversation& conversation) {
  return {{"id", "msg_" + NewId()},      {"type", "message"},        {"role", "assistant"},
          {"model", conversation.model}, {"content", Json::array()}, {"stop_reason", nullptr},
          {"stop_sequence", nullptr}};
}

std::string AnthropicStopReason(const Answer& answer) {
  if (!answer.finish_word.empty()) return answer.finish_word;
  switch (answer.finish) {
    case Finish::kStopSequence:
      return "stop_sequence";
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCalls:
      return "tool_use";
    case Finish::kStop:
      break;
  }
  return "end_turn";
}

Json AnthropicUsage(const Answer& answer) {
  return {{"input_tokens", answer.input_tokens - answer.cache_written - answer.cache_read},
          {"cache_creation_input_tokens", answer.cache_written},
          {"cache_read_input_tokens", answer.cache_read},
          {"output_tokens", answer.output_tokens},
          {"service_tier", "standard"}};
}

}  // namespace llm_router::simulate
