// `llm-router ask`: one question, one answer.
#pragma once

#include <iosfwd>

#include "client/client.h"

namespace llm_router::cli {

struct AskOptions {
  client::Options server;
  client::Question
      question;  // no route: the only one there is, else openai; text empty or "-": standard input
  bool json = false;
  bool at_terminal = false;  // standard input is somebody's keyboard
};

// Writes the answer to `out`; errors and notes to `err`. Gives the exit code (console.h).
int RunAsk(const AskOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
