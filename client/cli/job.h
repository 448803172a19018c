// `llm-router job`: questions that the server keeps. Each command writes to `out` what was asked for, notes
// and errors to `err`, and gives the exit code (console.h).
#pragma once

#include <iosfwd>
#include <string>

#include "client/canceller.h"
#include "client/client.h"

namespace llm_router::cli {

struct JobSubmitOptions {
  client::Options server;
  client::Question question;  // no route: the usual one; text empty or "-": standard input
  client::JobOptions job;
  bool json = false;
  bool at_terminal = false;  // standard input is somebody's keyboard
};
// Writes its id, or as JSON what is known of it.
int RunJobSubmit(const JobSubmitOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

struct JobListOptions {
  client::Options server;
  client::JobFilter filter;
  bool json = false;
};
int RunJobList(const JobListOptions& options, std::ostream& out, std::ostream& err);

// Of one job.
struct JobIdOptions {
  client::Options server;
  std::string id;
  bool json = false;
};
// What is known of it; its answer or failure, once it is over.
int RunJobShow(const JobIdOptions& options, std::ostream& out, std::ostream& err);
int RunJobRetry(const JobIdOptions& options, std::ostream& out, std::ostream& err);
int RunJobCancel(const JobIdOptions& options, std::ostream& out, std::ostream& err);

struct JobWaitOptions {
  JobIdOptions job;
  client::JobWait wait;
};
// Writes its answer, as `ask` does.
int RunJobWait(const JobWaitOptions& options, std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
