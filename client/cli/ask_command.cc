// The flags of `ask`.
#include <iostream>
#include <memory>

#include "client/cli/ask.h"
#include "client/cli/ask_file.h"
#include "client/cli/command_line.h"
#include "client/cli/command_table.h"
#include "client/cli/interrupt.h"

namespace llm_router::cli {
namespace {

// Both on the main thread, before the client makes threads of its own.
int RunAskOnStandardStreams(const AskOptions& options) {
  const client::Canceller canceller;
  const Interrupt interrupt([canceller] { canceller.Cancel(); });
  return RunAsk(options, canceller, std::cin, std::cout, std::cerr);
}

int RunAskFileOnStandardStreams(AskFileOptions options) {
  options.progress = ProgressForm();
  const client::Canceller canceller;
  const Interrupt interrupt([canceller] { canceller.Cancel(); });
  return RunAskFile(options, canceller, std::cin, std::cout, std::cerr);
}

void AddFileOptions(CLI::App& command, AskFileOptions& options) {
  CLI::Option* file =
      command
          .add_option("--file", options.file, "Ask every line of FILE (-: standard input), answers in order")
          ->type_name("FILE");
  command.add_option("--concurrency", options.concurrency, "With --file: how many at once (default 16)")
      ->type_name("N")
      ->check(Between<int64_t>(1, 10'000))
      ->needs(file);
  command.add_flag("--quiet", options.quiet, "With --file: no progress and no summary")->needs(file);
  command.get_option("TEXT")->excludes(file);
}

}  // namespace

void AddAsk(CLI::App& app, Action& action) {
  constexpr const char* kExample =
      "  llm-router ask \"What is a message broker?\"\n"
      "  cat report.txt | llm-router ask -r claude --system \"Summarise in three lines\"\n"
      "  llm-router ask --file prompts.txt --concurrency 16 --json > answers.jsonl\n";
  CLI::App* command =
      AddCommand(app, "ask", "Ask one question, or a file of them, and print the answers", kExample);
  const auto options = std::make_shared<AskOptions>();
  const auto many = std::make_shared<AskFileOptions>();
  const auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("TEXT", *words, "The question; from standard input when absent or -")->type_name("");
  AddRoute(*command, options->question.route, "Which route to ask: the only one there is, else openai");
  AddModelFlags(*command, options->question);
  AddJson(*command, options->json, "Print one JSON object an answer: response, model, provider, usage, ...");
  AddFileOptions(*command, *many);
  AddServer(*command, options->server);
  AddTimeout(*command, options->server);
  command->callback([options, many, words, command, &action] {
    action = [options, many, words, command] {
      options->question.text = Joined(*words);
      options->at_terminal = AtTerminal();
      if (command->count("--file") == 0) return RunAskOnStandardStreams(*options);
      many->server = options->server;
      many->question = options->question;
      many->json = options->json;
      return RunAskFileOnStandardStreams(*many);
    };
  });
}

}  // namespace llm_router::cli
