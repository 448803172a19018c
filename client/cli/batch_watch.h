// `llm-router batch watch`: follows a batch to its end. `batch submit --watch` goes on with it.
#pragma once

#include <iosfwd>
#include <string>

#include "client/canceller.h"
#include "client/cli/progress_line.h"
#include "client/client.h"

namespace llm_router::cli {

struct BatchWatchOptions {
  client::Options server;
  std::string id;
  bool json = false;
  ProgressLine::Form progress = ProgressLine::Form::kLines;
};

// Shows progress on `err` and how it ended: with `json` as an object on `out`. Gives the exit code
// (console.h): kFailed when a line or the batch failed, kInterrupted when `canceller` was used: the batch
// goes on.
int RunBatchWatch(const BatchWatchOptions& options, const client::Canceller& canceller, std::ostream& out,
                  std::ostream& err);
int Watch(const client::Batch& batch, const BatchWatchOptions& options, const client::Canceller& canceller,
          std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
