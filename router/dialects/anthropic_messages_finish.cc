#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {

Finish FinishNamed(std::string_view reason) {
  if (reason == "end_turn") return Finish::kStop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Finish::kLength;
  if (reason == "stop_sequence") return Finish::kStopSequence;
  if (reason == "tool_use") return Finish::kToolCalls;
  if (reason == "pause_turn") return Finish::kPause;
  if (reason == "refusal") return Finish::kRefusal;
  return Finish::kUnknown;
}

std::string_view FinishName(Finish finish, Warnings& warnings) {
  switch (finish) {
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCalls:
      return "tool_use";
    case Finish::kContentFilter:
    case Finish::kRefusal:
      return "refusal";
    case Finish::kStopSequence:
      return "stop_sequence";
    case Finish::kPause:
      return "pause_turn";
    case Finish::kUnknown:
      AddNote(warnings, "unknown finish reason sent as end_turn");
      return "end_turn";
    case Finish::kStop:
      break;
  }
  return "end_turn";
}

}  // namespace llm_router::anthropic_messages
