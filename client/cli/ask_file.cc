#include "client/cli/ask_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "broker_adapters/base/status.h"
#include "client/cancel_watch.h"
#include "client/cli/answer_report.h"
#include "client/cli/console.h"
#include "client/cli/prompts.h"
#include "client/cli/usual_route.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::cli {
namespace {

using client::ErrorCode;

absl::StatusOr<std::vector<Prompt>> ReadFile(const AskFileOptions& options, std::istream& in) {
  const size_t most = options.server.max_body;
  if (options.file == "-") return ReadPrompts(in, "standard input", most);
  errno = 0;
  std::ifstream file(options.file, std::ios::binary);
  if (file) file.peek();  // a directory opens, and then can't be read
  if (!file && !file.eof()) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("{}: can't be read: {}: check its path and permissions", options.file,
                                 std::strerror(errno)));
  }
  file.clear();
  return ReadPrompts(file, options.file, most);
}

// Without a server or a route no question can be answered: one of them says so for all. Once an answer has
// come, it is a failure like any other: a worker may be on its way back.
bool IsHopeless(const client::Error& error) {
  return error.code == ErrorCode::kEngineUnavailable || error.code == ErrorCode::kUnknownRoute;
}

ReportForm FormOf(const AskFileOptions& options) {
  return {options.json, options.quiet, options.quiet ? ProgressLine::Form::kNone : options.progress};
}

std::vector<client::Question> QuestionsOf(const AskFileOptions& options, const std::vector<Prompt>& prompts,
                                          const std::string& route) {
  std::vector<client::Question> questions;
  questions.reserve(prompts.size());
  for (const Prompt& prompt : prompts) {
    client::Question& question = questions.emplace_back(options.question);
    question.route = route;
    question.text = prompt.text;
  }
  return questions;
}

// One run, from the first question to the exit code.
class Run {
 public:
  Run(const AskFileOptions& options, const std::vector<Prompt>& prompts, std::ostream& out, std::ostream& err)
      : options_(options), prompts_(prompts), report_(FormOf(options), prompts, out, err), err_(err) {}

  void AskAll(client::Client& client, const client::Canceller& canceller, const std::string& route) {
    client::ManyOptions many;
    many.concurrency = options_.concurrency;
    many.canceller = rest_;
    many.on_progress = [this](const client::Progress& progress) { Take(progress); };
    const client::CancelWatch watch(canceller, [this] { rest_.Cancel(); });
    (void)client.AskMany(QuestionsOf(options_, prompts_, route), many);
  }

  int Finish() {
    report_.Finish();
    if (hopeless_) return Fail(*hopeless_, err_);
    if (report_.answered() + report_.failed() < prompts_.size()) return kInterrupted;
    return report_.failed() == 0 ? kDone : kFailed;
  }

 private:
  void Take(const client::Progress& progress) {
    const auto& result = progress.result;
    answered_ = answered_ || result.ok();
    const bool hopeless = !answered_ && !result.ok() && IsHopeless(result.error());
    if (!hopeless) return report_.Take(progress.index, result);
    if (!hopeless_) hopeless_ = result.error();
    rest_.Cancel();
    report_.Take(progress.index, client::Error{ErrorCode::kCancelled, {}, {}});
  }

  const AskFileOptions& options_;
  const std::vector<Prompt>& prompts_;
  AnswerReport report_;
  std::ostream& err_;
  client::Canceller rest_;  // of the run: used by the caller's canceller, or by us
  bool answered_ = false;
  std::optional<client::Error> hopeless_;
};

}  // namespace

int RunAskFile(const AskFileOptions& options, const client::Canceller& canceller, std::istream& in,
               std::ostream& out, std::ostream& err) {
  if (!options.question.route.empty()) {
    const auto fit = contract::CheckRouteName(options.question.route);
    if (!fit.ok()) return FailUsage(std::string(MessageOf(fit)), err);
  }
  const auto prompts = ReadFile(options, in);
  if (!prompts.ok()) return FailUsage(std::string(MessageOf(prompts.status())), err);
  client::Client client(options.server);
  std::string route = options.question.route;
  if (route.empty()) {
    const auto usual = UsualRoute(client);
    if (!usual.ok()) return Fail(usual.error(), err);
    route = *usual;
  }

  Run run(options, *prompts, out, err);
  run.AskAll(client, canceller, route);
  return run.Finish();
}

}  // namespace llm_router::cli
