// Answer: what the simulated model says, computed from the request alone, so that a dropped or altered field
// shows in it. Pure.
//
//   [simulated openai gpt-4o-mini] You said: "hello" (messages=1 temperature=0.2)
//
// Words in the last user message steer it: `call:TOOL`, with `{...}` arguments behind it if wanted, answers
// with that tool call; `finish:REASON` answers with that finish reason, whatever it is; `reasoning:WORD`
// thinks of it first; `cache:hit` says that what the request marks as worth keeping was kept before.
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

  std::string reasoning;  // before the text or the calls
  std::string text;
  std::vector<CalledTool> calls;
  Finish finish = Finish::kStop;
  std::string stop_sequence;  // the one that ended it
  std::string finish_word;    // to be given instead of `finish`, when not empty
  size_t input_tokens = 0;    // words
  size_t output_tokens = 0;
  size_t reasoning_tokens = 0;  // of output_tokens
  size_t cache_written = 0;     // of input_tokens: kept for later by this request,
  size_t cache_read = 0;        // or known from an earlier one
  std::vector<Answer> others;   // to the other prompts, where each turn is one
};

// `tokens`: the answer is made that many words long, if it is not longer anyway; 0 leaves it.
Answer ComputeAnswer(const Conversation& conversation, size_t tokens);

}  // namespace llm_router::simulate
