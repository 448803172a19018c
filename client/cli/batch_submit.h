// `llm-router batch submit`: gives a file of questions to the server.
#pragma once

#include <iosfwd>
#include <string>

#include "client/canceller.h"
#include "client/cli/progress_line.h"
#include "client/client.h"

namespace llm_router::cli {

struct BatchSubmitOptions {
  client::Options server;
  client::BatchOptions batch;
  std::string file;    // "-": standard input
  bool watch = false;  // to its end
  bool json = false;
  ProgressLine::Form progress = ProgressLine::Form::kLines;
};

// Writes the batch's id to `out` once all of it is on the server's disk; with `json` what is known of it, at
// its end where it is watched. Each bad line is a line "FILE:3: ..." on `err`. Gives the exit code
// (console.h): kUsage when the file can't be used, kInterrupted when `canceller` was used: before the id is
// written nothing of it runs, afterwards it goes on.
int RunBatchSubmit(const BatchSubmitOptions& options, const client::Canceller& canceller, std::istream& in,
                   std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
