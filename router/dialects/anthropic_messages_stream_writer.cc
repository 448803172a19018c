#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/anthropic_messages_usage.h"
#include "router/dialects/finish.h"
#include "router/dialects/json_end.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

std::string Frame(std::string_view type, const Json& data) { return SseText(type, DumpJson(data)); }

// Anthropic's blocks stand one after the other, while the parts of other dialects may interleave. So one part
// is written, and what others say is held until it is whole: a text is when something else is said, a tool
// call when its arguments are a whole object. At the latest the end of the reply lets them out. A text that
// goes on after its block was closed gets another block.
class StreamWriter final : public ReplyWriter {
 public:
  explicit StreamWriter(Warnings& warnings) : warnings_(warnings) {}

  std::string Write(const ReplyEvent& event) override {
    std::visit([this](const auto& what) { Say(what); }, event);
    return std::exchange(out_, {});
  }

 private:
  struct Track {
    Part part;  // how its block starts
    std::string held;
    std::string held_signature;
    JsonEnd arguments;
    bool waits = true;
  };

  void Say(const ReplyBegin& begin) {
    Warnings not_yet;  // an unknown usage may become known
    out_ += Frame("message_start", {{"type", "message_start"},
                                    {"message",
                                     {{"id", begin.id.empty() ? fmt::format("msg_{}", NewId()) : begin.id},
                                      {"type", "message"},
                                      {"role", "assistant"},
                                      {"model", begin.model},
                                      {"content", Json::array()},
                                      {"stop_reason", nullptr},
                                      {"stop_sequence", nullptr},
                                      {"usage", RenderUsage(begin.usage, not_yet)}}}});
  }

  void Say(const PartBegin& begin) {
    tracks_.emplace_back().part = begin.part;
    waiting_.push_back(begin.index);
    Advance(false);
  }

  void Say(const PartDelta& delta) {
    Track& track = tracks_.at(delta.index);
    if (open_ == delta.index) {
      Delta(track, delta.text);
      return Advance(false);
    }
    if (!track.waits && IsCall(track)) {
      AddNote(warnings_, "arguments of a tool call after their end dropped");
      return;
    }
    track.held += delta.text;
    if (!std::exchange(track.waits, true)) waiting_.push_back(delta.index);
    Advance(false);
  }

  void Say(const PartSignature& proof) {
    Track& track = tracks_.at(proof.index);
    if (open_ == proof.index) return Signature(proof.signature);
    if (track.waits) track.held_signature += proof.signature;
    if (!track.waits) AddNote(warnings_, "signature of thinking dropped");
  }

  void Say(const ReplyEnd& end) {
    Advance(true);
    if (open_) Close();
    const bool calls = std::ranges::any_of(tracks_, IsCall);
    out_ += Frame("message_delta",
                  {{"type", "message_delta"},
                   {"delta",
                    {{"stop_reason", FinishName(FinishOf(end.finish, calls), warnings_)},
                     {"stop_sequence", end.stop_sequence.empty() ? Json(nullptr) : Json(end.stop_sequence)}}},
                   {"usage", RenderUsage(end.usage, warnings_)}});
    out_ += Frame("message_stop", {{"type", "message_stop"}});
  }

  static bool IsCall(const Track& track) { return std::holds_alternative<ToolCallPart>(track.part); }

  // Opens what waits, as long as what is open may be closed.
  void Advance(bool at_the_end) {
    while (!waiting_.empty()) {
      if (open_) {
        const Track& track = tracks_[*open_];
        if (!at_the_end && IsCall(track) && !track.arguments.whole()) return;
        Close();
      }
      Open(waiting_.front());
      waiting_.pop_front();
    }
  }

  void Open(size_t index) {
    open_ = index;
    Track& track = tracks_[index];
    track.waits = false;
    out_ +=
        Frame("content_block_start",
              {{"type", "content_block_start"}, {"index", blocks_}, {"content_block", Start(track.part)}});
    if (!track.held.empty()) Delta(track, std::exchange(track.held, {}));
    if (!track.held_signature.empty()) Signature(std::exchange(track.held_signature, {}));
  }

  static Json Start(const Part& part) {
    if (const auto* thought = std::get_if<ThinkingPart>(&part)) return RenderThinking(*thought);
    const auto* call = std::get_if<ToolCallPart>(&part);
    if (call == nullptr) return RenderText(TextPart());
    return {
        {"type", "tool_use"}, {"id", ToolUseId(call->id)}, {"name", call->name}, {"input", Json::object()}};
  }

  void Close() {
    const Track& track = tracks_[*open_];
    if (IsCall(track) && !track.arguments.whole() && track.arguments.begun())
      AddNote(warnings_, "arguments of a tool call are no JSON object");
    out_ += Frame("content_block_stop", {{"type", "content_block_stop"}, {"index", blocks_++}});
    open_.reset();
  }

  void Delta(Track& track, std::string_view text) {
    if (IsCall(track)) {
      track.arguments.Add(text);
      return Delta("input_json_delta", "partial_json", text);
    }
    const bool thinks = std::holds_alternative<ThinkingPart>(track.part);
    thinks ? Delta("thinking_delta", "thinking", text) : Delta("text_delta", "text", text);
  }

  void Signature(std::string_view proof) { Delta("signature_delta", "signature", proof); }

  void Delta(std::string_view type, std::string_view member, std::string_view text) {
    out_ +=
        SseText("content_block_delta",
                fmt::format(R"({{"type":"content_block_delta","index":{},"delta":{{"type":"{}","{}":{}}}}})",
                            blocks_, type, member, QuoteJson(text)));
  }

  Warnings& warnings_;
  std::string out_;
  std::vector<Track> tracks_;  // by the index of their part
  std::deque<size_t> waiting_;
  std::optional<size_t> open_;
  size_t blocks_ = 0;  // closed so far
};

}  // namespace

std::unique_ptr<ReplyWriter> NewWriter(Warnings& warnings) {
  return std::make_unique<StreamWriter>(warnings);
}

}  // namespace llm_router::anthropic_messages
