// `llm-router ask --file`: many questions, one a line of a file, answered a few at a time.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "client/canceller.h"
#include "client/cli/progress_line.h"
#include "client/client.h"

namespace llm_router::cli {

struct AskFileOptions {
  client::Options server;
  client::Question
      question;      // what all of them share; no route: openai if somebody serves it, else the only one
  std::string file;  // "-": standard input
  std::size_t concurrency = 16;
  bool json = false;
  bool quiet = false;  // no progress, no summary; failures are named all the same
  ProgressLine::Form progress = ProgressLine::Form::kLines;
};

// Writes the answers to `out` in the order of the lines, everything else to `err`. Gives the exit code
// (console.h): kFailed when any question failed, kInterrupted when `canceller` ended it.
int RunAskFile(const AskFileOptions& options, const client::Canceller& canceller, std::istream& in,
               std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
