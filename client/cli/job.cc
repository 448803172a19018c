#include "client/cli/job.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "client/cli/answer_json.h"
#include "client/cli/console.h"
#include "client/cli/jobs_json.h"
#include "client/cli/table.h"
#include "client/cli/usual_route.h"
#include "proto/contract.h"

namespace llm_router::cli {
namespace {

using client::JobState;
using client::JobStatus;
using Json = nlohmann::ordered_json;

// What is wrong with how the command was called; empty when nothing is. Reads the text where it is not given.
std::string Complete(const JobSubmitOptions& options, std::istream& in, client::Question& question) {
  if (question.text.empty() && options.at_terminal) {
    return "say what to ask: llm-router job submit \"What is a message broker?\"";
  }
  if (question.text.empty() || question.text == "-") {
    auto text = ReadAll(in, options.server.max_body);
    if (!text) return "standard input is longer than the server takes";
    question.text = *std::move(text);
  }
  if (question.text.find_first_not_of(" \t\r\n") == std::string::npos) return "empty prompt: say what to ask";
  if (question.route.empty()) return {};
  return std::string(MessageOf(contract::CheckRouteName(question.route)));
}

std::string InWords(const JobStatus& job) {
  std::string words =
      fmt::format("id        {}\nroute     {}\nstate     {}\n", job.id, job.route, NameOf(job.state));
  if (job.position) words += fmt::format("position  {}\n", *job.position);
  if (!job.message_id.empty()) words += fmt::format("message   {}\n", job.message_id);
  if (!job.batch.empty()) words += fmt::format("batch     {} line {}\n", job.batch, job.line);
  words += fmt::format("created   {}\nstarted   {}\nfinished  {}\nruns      {}\n", TimeOf(job.created_at),
                       TimeOf(job.started_at), TimeOf(job.finished_at), job.runs);
  for (const client::JobFailure& failure : job.failures) {
    words += fmt::format("failure   {}  {}: {}\n", TimeOf(failure.at), NameOf(failure.why.code),
                         failure.why.message);
  }
  return words;
}

void Write(const JobStatus& job, bool json, std::ostream& out) {
  if (json) {
    out << OneLine(ToJson(job)) << std::endl;
  } else {
    out << job.id << ' ' << NameOf(job.state) << std::endl;
  }
}

using Change = client::Result<JobStatus> (client::Job::*)() const;

int RunChange(const JobIdOptions& options, Change change, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto job = client.FindJob(options.id);
  if (!job.ok()) return Fail(job.error(), err);
  const auto changed = ((*job).*change)();
  if (!changed.ok()) return Fail(changed.error(), err);
  Write(*changed, options.json, out);
  return kDone;
}

void Show(const JobStatus& job, const client::Result<client::Answer>* answer, bool json, std::ostream& out) {
  if (json) {
    Json shown = ToJson(job);
    if (answer != nullptr) shown.update(answer->ok() ? ToJson(**answer) : ToJson(answer->error()));
    out << OneLine(shown) << std::endl;
    return;
  }
  out << InWords(job);
  if (answer != nullptr) {
    out << '\n' << (answer->ok() ? (*answer)->text : "error: " + answer->error().message) << '\n';
  }
  out << std::flush;
}

}  // namespace

int RunJobSubmit(const JobSubmitOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  client::Question question = options.question;
  if (const std::string wrong = Complete(options, in, question); !wrong.empty()) return FailUsage(wrong, err);
  client::Client client(options.server);
  if (question.route.empty()) {
    const auto route = UsualRoute(client);
    if (!route.ok()) return Fail(route.error(), err);
    question.route = *route;
  }
  const auto job = client.Submit(std::move(question), options.job);
  if (!job.ok()) return Fail(job.error(), err);
  if (!options.json) {
    out << job->id() << std::endl;
    return kDone;
  }
  const auto status = job->Status();
  if (!status.ok()) return Fail(status.error(), err);
  Write(*status, options.json, out);
  return kDone;
}

int RunJobList(const JobListOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto jobs = client.Jobs(options.filter);
  if (!jobs.ok()) return Fail(jobs.error(), err);
  if (options.json) {
    Json list = Json::array();
    for (const JobStatus& job : *jobs) list.push_back(ToJson(job));
    out << OneLine(list) << std::endl;
    return kDone;
  }
  std::vector<Row> rows = {{"ID", "STATE", "ROUTE", "RUNS", "CREATED (UTC)", "FINISHED (UTC)"}};
  for (const JobStatus& job : *jobs) {
    rows.push_back({job.id, std::string(NameOf(job.state)), job.route, fmt::format("{}", job.runs),
                    TimeOf(job.created_at), TimeOf(job.finished_at)});
  }
  if (rows.size() > 1) out << ToTable(rows) << std::flush;
  if (rows.size() == 1) err << "note: no such job; `llm-router job submit` makes one\n";
  return kDone;
}

int RunJobShow(const JobIdOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto job = client.FindJob(options.id);
  if (!job.ok()) return Fail(job.error(), err);
  const auto status = job->Status();
  if (!status.ok()) return Fail(status.error(), err);
  if (!IsFinal(status->state)) {
    Show(*status, nullptr, options.json, out);
  } else {
    const auto answer = job->Wait();
    Show(*status, &answer, options.json, out);
  }
  return kDone;
}

int RunJobRetry(const JobIdOptions& options, std::ostream& out, std::ostream& err) {
  return RunChange(options, &client::Job::Retry, out, err);
}

int RunJobCancel(const JobIdOptions& options, std::ostream& out, std::ostream& err) {
  return RunChange(options, &client::Job::Cancel, out, err);
}

int RunJobWait(const JobWaitOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.job.server);
  const auto job = client.FindJob(options.job.id);
  if (!job.ok()) return Fail(job.error(), err);
  const auto answer = job->Wait(options.wait);
  if (!answer.ok()) {
    Fail(answer.error(), err);
    return options.wait.canceller.cancelled() ? kInterrupted : kFailed;
  }
  out << (options.job.json ? OneLine(ToJson(*answer)) : answer->text) << std::endl;
  WriteNotes(*answer, err);
  return kDone;
}

}  // namespace llm_router::cli
