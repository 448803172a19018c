// The flags of `job`.
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "client/cli/command_line.h"
#include "client/cli/command_table.h"
#include "client/cli/interrupt.h"
#include "client/cli/job.h"

namespace llm_router::cli {
namespace {

constexpr double kLongestSeconds = 7 * 86'400.0;

std::chrono::milliseconds Seconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void AddSubmit(CLI::App& job, Action& action) {
  CLI::App* command = AddCommand(job, "submit", "Put a question on the server's disk and print the job's id",
                                 "  llm-router job submit -r claude \"What is a message broker?\"\n"
                                 "  llm-router job wait $(llm-router job submit \"What is a queue?\")\n");
  const auto options = std::make_shared<JobSubmitOptions>();
  const auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("TEXT", *words, "The question; from standard input when absent or -")->type_name("");
  AddRoute(*command, options->question.route, "Which route to ask: the only one there is, else openai");
  AddModelFlags(*command, options->question);
  command->add_option("--reply-to", options->job.reply_to, "A queue that is sent the result too")
      ->type_name("QUEUE");
  command
      ->add_option("--idempotency-key", options->job.idempotency_key,
                   "Yours: submitted twice with the same one, it is one job")
      ->type_name("KEY");
  command
      ->add_option_function<double>(
          "--deadline",
          [options](double seconds) {
            options->job.deadline = std::chrono::system_clock::now() + Seconds(seconds);
          },
          "Seconds from now: what has not been answered then has failed")
      ->type_name("S")
      ->check(Between(0.001, kLongestSeconds));
  AddJson(*command, options->json, "Print a JSON object");
  AddServer(*command, options->server);
  command->callback([options, words, &action] {
    action = [options, words] {
      options->question.text = Joined(*words);
      options->at_terminal = AtTerminal();
      return RunJobSubmit(*options, std::cin, std::cout, std::cerr);
    };
  });
}

void AddState(CLI::App& command, std::optional<client::JobState>& state) {
  using client::JobState;
  std::map<std::string, JobState> named;
  for (const JobState each : {JobState::kQueued, JobState::kRunning, JobState::kCompleted, JobState::kFailed,
                              JobState::kCancelled}) {
    named.emplace(NameOf(each), each);
  }
  command
      .add_option_function<std::string>(
          "--state", [named, &state](const std::string& name) { state = named.at(name); },
          "Only those: queued, running, completed, failed or cancelled")
      ->type_name("STATE")
      ->check(CLI::IsMember(named).description(""));
}

void AddList(CLI::App& job, Action& action) {
  CLI::App* command = AddCommand(job, "list", "List jobs, the newest first",
                                 "  llm-router job list\n  llm-router job list --state failed --json\n");
  const auto options = std::make_shared<JobListOptions>();
  AddState(*command, options->filter.state);
  AddRoute(*command, options->filter.route, "Only those of this route");
  command->add_option("-n,--limit", options->filter.most, "How many at most (default 20)")
      ->type_name("N")
      ->check(Between<std::int64_t>(1, 10'000));
  AddJson(*command, options->json, "Print a JSON array");
  AddServer(*command, options->server);
  command->callback(
      [options, &action] { action = [options] { return RunJobList(*options, std::cout, std::cerr); }; });
}

void AddId(CLI::App& command, JobIdOptions& options) {
  command.add_option("ID", options.id, "The job's id, or the MessageID that its sender gave it")
      ->type_name("")
      ->required();
  AddJson(command, options.json, "Print a JSON object");
  AddServer(command, options.server);
}

using RunOfId = int (*)(const JobIdOptions&, std::ostream&, std::ostream&);

void AddOfId(CLI::App& job, const std::string& name, const std::string& description, RunOfId run,
             Action& action) {
  CLI::App* command = AddCommand(job, name, description, "  llm-router job " + name + " ID\n");
  const auto options = std::make_shared<JobIdOptions>();
  AddId(*command, *options);
  command->callback(
      [options, run, &action] { action = [options, run] { return run(*options, std::cout, std::cerr); }; });
}

void AddWait(CLI::App& job, Action& action) {
  CLI::App* command = AddCommand(job, "wait", "Wait for a job's answer and print it",
                                 "  llm-router job wait ID\n  llm-router job wait ID --timeout 60 --json\n");
  const auto options = std::make_shared<JobWaitOptions>();
  AddId(*command, options->job);
  command
      ->add_option_function<double>(
          "--timeout", [options](double seconds) { options->wait.timeout = Seconds(seconds); },
          "How long to wait, in seconds (default: until it is over); the job goes on")
      ->type_name("S")
      ->check(Between(0.001, kLongestSeconds));
  command->callback([options, &action] {
    action = [options] {
      const Interrupt interrupt([canceller = options->wait.canceller] { canceller.Cancel(); });
      return RunJobWait(*options, std::cout, std::cerr);
    };
  });
}

}  // namespace

void AddJob(CLI::App& app, Action& action) {
  CLI::App* job = AddCommand(app, "job", "Questions that the server keeps until they are answered",
                             "  llm-router job submit \"What is a message broker?\"\n"
                             "  llm-router job list --state failed\n"
                             "  llm-router job retry ID\n");
  job->require_subcommand(1);
  AddSubmit(*job, action);
  AddList(*job, action);
  AddOfId(*job, "show", "Show a job, with its answer or its failures", RunJobShow, action);
  AddWait(*job, action);
  AddOfId(*job, "retry", "Queue a job that failed once more", RunJobRetry, action);
  AddOfId(*job, "cancel", "Cancel a job: what runs of it is aborted", RunJobCancel, action);
}

}  // namespace llm_router::cli
