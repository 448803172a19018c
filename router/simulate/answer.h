// Answer: what the simulated model says, computed from the request alone, so that a dropped or altered field
// shows in it. Pure.
//
//   [simulated openai gpt-4o-mini] You said: "hello" (messages=1 temperature=0.2)
//
// Words in the last user message steer it: `call:TOOL`, with `{...}` arguments behind it if wanted, answers
// with that tool call; `finish:REASON` answers with that finish reason, whatever it is.
#pragma once

#include <string>
#include <vector>

#include "router/simulate/conversation.h"

namespace llm_router::simulate {

enum class Finish { kStop, kStopSequence, kLength, kToolCalls };

struct CalledTool {
  std::string id;  // "sim_1"
  std::string name;
  std::string arguments;  // JSON text
};

struct Answer {
  Answer() = default;

  std::string text;
  std::vector<CalledTool> calls;
  Finish finish = Finish::kStop;
  std::string stop_sequence;  // the one that ended it
  std::string finish_word;    // to be given instead of `finish`, when not empty
  size_t input_tokens = 0;    // words
  size_t output_tokens = 0;
};

// `tokens`: the answer is made that many words long, if it is not longer anyway; 0 leaves it.
Answer ComputeAnswer(const Conversation& conversation, size_t tokens);

}  // namespace llm_router::simulate
