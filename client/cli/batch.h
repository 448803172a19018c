// `llm-router batch`: many questions with one progress, kept by the server. Each command writes to `out` what
// was asked for, notes and errors to `err`, and gives the exit code (console.h).
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "client/client.h"

namespace llm_router::cli {

struct BatchListOptions {
  client::Options server;
  std::size_t most = 20;
  bool json = false;
};
int RunBatchList(const BatchListOptions& options, std::ostream& out, std::ostream& err);

// Of one batch.
struct BatchIdOptions {
  client::Options server;
  std::string id;
  bool json = false;
};
// With its bad lines, where it has any.
int RunBatchStatus(const BatchIdOptions& options, std::ostream& out, std::ostream& err);
int RunBatchCancel(const BatchIdOptions& options, std::ostream& out, std::ostream& err);

struct BatchResultsOptions {
  client::Options server;
  std::string id;
  std::string output = "-";  // a file, or "-": `out`
  std::string errors;        // where the lines without an answer go; empty: to `output` too
};
// Writes the rows of the lines finished so far.
int RunBatchResults(const BatchResultsOptions& options, std::ostream& out, std::ostream& err);

// "120 of 200 lines done, 3 failed, 16 running"
std::string CountsOf(const client::BatchStatus& status);

}  // namespace llm_router::cli
