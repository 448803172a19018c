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

// Writes the answer to `out` as it comes (as one line of JSON when it is whole); errors and notes to `err`.
// Gives the exit code (console.h): kInterrupted when `canceller` ended it.
int RunAsk(const AskOptions& options, const client::Canceller& canceller, std::istream& in, std::ostream& out,
           std::ostream& err);

}  // namespace llm_router::cli
