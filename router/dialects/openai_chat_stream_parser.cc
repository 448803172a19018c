#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::openai_chat {
namespace {

constexpr int64_t kNoNumber = -1;       // servers that leave `index` out
constexpr int64_t kFunctionOfOld = -2;  // `function_call`, of which there is one

// A tool call, whose id and name come with its first delta or, from sloppy servers, later.
struct Call {
  int64_t number = kNoNumber;
  std::string id;
  std::string name;
  std::string held;             // arguments that came before the name
  std::optional<size_t> index;  // of its part, once that has begun
};

class StreamParser final : public ReplyParser {
 public:
  absl::Status Read(const SseFrame& frame, std::vector<ReplyEvent>& events) override {
    if (frame.data.empty() || complete_) return absl::OkStatus();
    if (frame.data == "[DONE]") return End(events);
    ASSIGN_OR_RETURN(const Json json, ParseStreamFrame(frame.data));
    const Node chunk(json, kStreamFrame);
    RETURN_IF_ERROR(ReadHead(chunk));
    RETURN_IF_ERROR(ParseUsage(chunk, usage_));
    return chunk.ForEach("choices", [&](const Node& choice) { return ReadChoice(choice, events); });
  }

  bool complete() const override { return complete_; }
  const std::vector<std::string>& unknown() const override { return unknown_; }

 private:
  // Azure's first chunk has neither an id nor a model: the first that is there counts.
  absl::Status ReadHead(const Node& chunk) {
    if (head_.id.empty()) RETURN_IF_ERROR(chunk.Read("id", head_.id));
    if (head_.model.empty()) RETURN_IF_ERROR(chunk.Read("model", head_.model));
    const auto created = chunk.Find("created");
    if (head_.created == 0 && created && created->json().is_number_integer())
      head_.created = created->json().get<int64_t>();
    return absl::OkStatus();
  }

  absl::Status ReadChoice(const Node& choice, std::vector<ReplyEvent>& events) {
    std::optional<int64_t> number;
    RETURN_IF_ERROR(choice.Read("index", number));
    if (number.value_or(0) != 0) {
      AddNote(unknown_, "choices after the first");
      return absl::OkStatus();
    }
    Begin(events);
    if (choice.Find("logprobs")) AddNote(unknown_, "logprobs");
    if (const auto delta = choice.Find("delta")) RETURN_IF_ERROR(ReadDelta(*delta, events));
    return choice.Read("finish_reason", reason_);
  }

  void Begin(std::vector<ReplyEvent>& events) {
    if (!std::exchange(begun_, true)) events.emplace_back(head_);
  }

  absl::Status ReadDelta(const Node& delta, std::vector<ReplyEvent>& events) {
    if (!delta.IsObject()) return delta.Wrong("must be an object");
    std::string thinking, refusal;
    RETURN_IF_ERROR(ReadReasoning(delta, thinking));
    RETURN_IF_ERROR(Say(thinking_, ThinkingPart(), thinking, events));
    std::string text;
    RETURN_IF_ERROR(ReadContent(delta, unknown_, [&](std::string_view piece) { text += piece; }));
    RETURN_IF_ERROR(Say(text_, TextPart(), text, events));
    RETURN_IF_ERROR(delta.Read("refusal", refusal));
    RETURN_IF_ERROR(Say(refusal_, RefusalPart(), refusal, events));
    RETURN_IF_ERROR(delta.ForEach("tool_calls", [&](const Node& call) { return ReadCall(call, events); }));
    NoteExtras(delta, unknown_);
    const auto function = delta.Find("function_call");
    if (!function) return absl::OkStatus();
    ASSIGN_OR_RETURN(Call * call, CallOf(kFunctionOfOld, {}));
    return ReadFunction(*function, *call, events);
  }

  // What there is one of: its part begins with the first of its text.
  absl::Status Say(std::optional<size_t>& index, Part part, const std::string& text,
                   std::vector<ReplyEvent>& events) {
    if (text.empty()) return absl::OkStatus();
    if (!index) {
      index = parts_++;
      events.emplace_back(PartBegin{*index, std::move(part)});
    }
    events.emplace_back(PartDelta{*index, text});
    return absl::OkStatus();
  }

  absl::Status ReadCall(const Node& node, std::vector<ReplyEvent>& events) {
    if (!node.IsObject()) return node.Wrong("must be an object");
    if (const std::string_view type = node.Type(); !type.empty() && type != "function") {
      AddNote(unknown_, "tool call that is no function");
      return absl::OkStatus();
    }
    std::optional<int64_t> number;
    std::string id;
    RETURN_IF_ERROR(node.Read("index", number));
    RETURN_IF_ERROR(node.Read("id", id));
    ASSIGN_OR_RETURN(Call * call, CallOf(number.value_or(kNoNumber), id));
    const auto function = node.Find("function");
    return function ? ReadFunction(*function, *call, events) : absl::OkStatus();
  }

  // The latest call of that number; another id under the same number, as some servers write it, is another
  // call.
  absl::StatusOr<Call*> CallOf(int64_t number, const std::string& id) {
    for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
      if (call->number != number) continue;
      if (!id.empty() && !call->id.empty() && call->id != id) break;
      if (call->id.empty()) call->id = id;
      return &*call;
    }
    if (calls_.size() >= kMaxStreamParts) return TooManyParts();
    Call& call = calls_.emplace_back();
    call.number = number;
    call.id = id;
    return &call;
  }

  absl::Status ReadFunction(const Node& function, Call& call, std::vector<ReplyEvent>& events) {
    std::string arguments;
    if (call.name.empty()) RETURN_IF_ERROR(function.Read("name", call.name));
    RETURN_IF_ERROR(function.Read("arguments", arguments));
    call.held += arguments;
    if (call.name.empty()) return absl::OkStatus();
    if (!call.index) {
      call.index = parts_++;
      // Without an id a caller could not answer the call.
      if (call.id.empty()) call.id = fmt::format("call_{}", NewId());
      events.emplace_back(PartBegin{*call.index, ToolCallPart{call.id, call.name, {}}});
    }
    if (!call.held.empty()) events.emplace_back(PartDelta{*call.index, std::exchange(call.held, {})});
    return absl::OkStatus();
  }

  absl::Status End(std::vector<ReplyEvent>& events) {
    if (!begun_) return MakeFault(Fault::kProviderBadReply, "the provider's stream ended before it began");
    for (const Call& call : calls_) {
      if (!call.index)
        return MakeFault(Fault::kProviderBadReply, "the provider's stream calls a tool without a name");
    }
    ReplyEnd end;
    end.finish = FinishNamed(reason_);
    if (end.finish == Finish::kStop && refusal_) end.finish = Finish::kRefusal;
    end.finish = FinishOf(end.finish, !calls_.empty());
    end.usage = usage_;
    events.emplace_back(std::move(end));
    complete_ = true;
    return absl::OkStatus();
  }

  ReplyBegin head_;
  bool begun_ = false;
  bool complete_ = false;
  size_t parts_ = 0;
  std::optional<size_t> thinking_, text_, refusal_;
  std::vector<Call> calls_;
  std::string reason_;
  std::optional<ChatUsage> usage_;
  std::vector<std::string> unknown_;
};

}  // namespace

std::unique_ptr<ReplyParser> NewParser() { return std::make_unique<StreamParser>(); }

}  // namespace llm_router::openai_chat
