#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {

Finish FinishNamed(std::string_view reason) {
  if (reason == "stop") return Finish::kStop;
  if (reason == "length" || reason == "model_length") return Finish::kLength;
  if (reason == "tool_calls" || reason == "function_call") return Finish::kToolCalls;
  if (reason == "content_filter") return Finish::kContentFilter;
  return Finish::kUnknown;
}

// A refusal in words ends with "stop" here; one without words can only be told as a content filter's.
std::string_view FinishName(Finish finish, bool refuses_in_words, Warnings& warnings) {
  switch (finish) {
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kContentFilter:
      return "content_filter";
    case Finish::kRefusal:
      return refuses_in_words ? "stop" : "content_filter";
    case Finish::kPause:
      AddNote(warnings, "stop_reason pause_turn sent as stop");
      return "stop";
    case Finish::kUnknown:
      AddNote(warnings, "unknown finish reason sent as stop");
      return "stop";
    case Finish::kStop:
    case Finish::kStopSequence:
      break;
  }
  return "stop";
}

}  // namespace llm_router::openai_chat
