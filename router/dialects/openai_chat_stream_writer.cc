#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

// The member of a delta that a part's text goes into; null: it has none, as tool calls do.
const char* MemberOf(const Part& part) {
  if (std::holds_alternative<TextPart>(part)) return "content";
  if (std::holds_alternative<RefusalPart>(part)) return "refusal";
  if (std::holds_alternative<ThinkingPart>(part)) return "reasoning_content";
  return nullptr;
}

class StreamWriter final : public ReplyWriter {
 public:
  StreamWriter(const StreamWishes& wishes, Warnings& warnings) : usage_(wishes.usage), warnings_(warnings) {}

  std::string Write(const ReplyEvent& event) override {
    return std::visit([this](const auto& what) { return Say(what); }, event);
  }

 private:
  struct Track {
    const char* member;  // MemberOf
    size_t call;         // the number of the tool call
  };

  // All but the choice is the same in every chunk.
  std::string Say(const ReplyBegin& begin) {
    head_ = fmt::format(R"({{"id":{},"object":"chat.completion.chunk","created":{},"model":{},"choices":[)",
                        QuoteJson(begin.id.empty() ? fmt::format("chatcmpl-{}", NewId()) : begin.id),
                        begin.created > 0 ? begin.created : UnixMillis() / 1000, QuoteJson(begin.model));
    return Delta(R"("role":"assistant","content":"")");
  }

  std::string Say(const PartBegin& begin) {
    Track track{MemberOf(begin.part), calls_};
    refuses_ = refuses_ || std::holds_alternative<RefusalPart>(begin.part);
    if (const auto* thought = std::get_if<ThinkingPart>(&begin.part)) WarnOfProof(*thought, warnings_);
    tracks_.push_back(track);
    const auto* call = std::get_if<ToolCallPart>(&begin.part);
    if (call == nullptr) return {};
    ++calls_;
    return Delta(fmt::format(
        R"("tool_calls":[{{"index":{},"id":{},"type":"function","function":{{"name":{},"arguments":""}}}}])",
        track.call, QuoteJson(call->id), QuoteJson(call->name)));
  }

  std::string Say(const PartDelta& delta) {
    const Track& track = tracks_.at(delta.index);
    const std::string text = QuoteJson(delta.text);
    if (track.member != nullptr) return Delta(fmt::format(R"("{}":{})", track.member, text));
    return Delta(
        fmt::format(R"("tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}])", track.call, text));
  }

  std::string Say(const PartSignature&) {
    AddNote(warnings_, "signature of thinking dropped");
    return {};
  }

  std::string Say(const ReplyEnd& end) {
    const std::string_view reason = FinishName(FinishOf(end.finish, calls_ > 0), refuses_, warnings_);
    std::string frames = Choice({}, fmt::format(R"("{}")", reason));
    if (usage_ && end.usage) frames += Usage(*end.usage);
    return frames += SseText({}, "[DONE]");
  }

  // Usage stands in a chunk of its own, which only those get who asked for it.
  std::string Usage(const ChatUsage& usage) {
    return SseText({}, fmt::format(R"({}],"usage":{}}})", head_, DumpJson(RenderUsage(usage, warnings_))));
  }

  std::string Delta(std::string_view members) { return Choice(members, "null"); }

  std::string Choice(std::string_view members, std::string_view reason) {
    return SseText(
        {}, fmt::format(R"({}{{"index":0,"delta":{{{}}},"logprobs":null,"finish_reason":{}}}]{}}})", head_,
                        members, reason, usage_ ? R"(,"usage":null)" : ""));
  }

  const bool usage_;
  Warnings& warnings_;
  std::string head_;
  std::vector<Track> tracks_;
  size_t calls_ = 0;
  bool refuses_ = false;
};

}  // namespace

std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings) {
  return std::make_unique<StreamWriter>(wishes, warnings);
}

}  // namespace llm_router::openai_chat
