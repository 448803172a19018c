#include "client/cli/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/ask.h"
#include "client/cli/ask_file.h"
#include "client/cli/chat.h"
#include "client/cli/interrupt.h"
#include "client/cli/routes.h"

namespace llm_router::cli {
namespace {

// Shows first, then explains: the example stands above everything else.
class ExampleFirst : public CLI::Formatter {
 public:
  explicit ExampleFirst(std::string example) : example_(std::move(example)) {}
  std::string make_description(const CLI::App* app) const override {
    return example_ + "\n" + app->get_description() + ".\n\n";
  }

 private:
  std::string example_;
};

// Range says its bounds in the error; in the help they would only push the columns apart.
template <class Number>
CLI::Validator Between(Number least, Number most) {
  return CLI::Range(least, most).description("");
}

bool AtTerminal() { return isatty(STDIN_FILENO) == 1; }

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->formatter(std::make_shared<ExampleFirst>(example));
  return command;
}

// Where the server is and how to be let in.
void AddServer(CLI::App& command, client::Options& server) {
  command
      .add_option("--address", server.address,
                  "Where the server is; else $LLM_ROUTER_ADDRESS, else 127.0.0.1:50000")
      ->type_name("HOST:PORT");
  command
      .add_option("--key", server.key,
                  "Your key; better in $LLM_ROUTER_KEY, for others on this machine can see a command line")
      ->type_name("KEY");
  command
      .add_option("--ca", server.ca,
                  "TLS: the CA that signed the server's certificate, or system for those this machine trusts")
      ->type_name("FILE");
  command.add_option("--cert", server.cert, "TLS: your certificate, where the server asks for one")
      ->type_name("FILE");
  command.add_option("--cert-key", server.cert_key, "TLS: the private key to --cert")->type_name("FILE");
}

void AddTimeout(CLI::App& command, client::Options& server) {
  server.timeout = std::chrono::seconds(120);
  command
      .add_option_function<double>(
          "--timeout",
          [&server](double seconds) {
            server.timeout = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
          },
          "How long to wait for an answer, in seconds (default 120)")
      ->type_name("S")
      ->check(Between(0.001, 86'400.0));
}

// `ask` keeps these in its question, `chat` beside it.
template <class Options>
void AddModelOptions(CLI::App& command, std::string& route, const std::string& route_help, Options& options) {
  command.add_option("-r,--route", route, route_help)->type_name("ROUTE");
  command.add_option("--model", options.model, "A model the route lists; else its first")->type_name("M");
  command.add_option("--system", options.system, "The system prompt")->type_name("TEXT");
  command.add_option("--temperature", options.temperature, "0 to 2")
      ->type_name("T")
      ->check(Between(0.0, 2.0));
  command.add_option("--max-tokens", options.max_tokens, "The longest answer, in tokens")
      ->type_name("N")
      ->check(Between<int64_t>(1, INT64_MAX));
}

// On the main thread, before the client makes threads of its own.
int RunAskFileOnStandardStreams(AskFileOptions options) {
  const bool at_terminal = isatty(STDERR_FILENO) == 1;
  options.progress = at_terminal ? ProgressLine::Form::kBar : ProgressLine::Form::kLines;
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

void AddAsk(CLI::App& app, std::function<int()>& action) {
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
  AddModelOptions(*command, options->question.route, "Which route to ask: the only one there is, else openai",
                  options->question);
  command->add_flag("--json", options->json,
                    "Print one JSON object an answer: response, model, provider, usage, ...");
  AddFileOptions(*command, *many);
  AddServer(*command, options->server);
  AddTimeout(*command, options->server);
  command->callback([options, many, words, command, &action] {
    action = [options, many, words, command] {
      options->question.text = Joined(*words);
      options->at_terminal = AtTerminal();
      if (command->count("--file") == 0) return RunAsk(*options, std::cin, std::cout, std::cerr);
      many->server = options->server;
      many->question = options->question;
      many->json = options->json;
      return RunAskFileOnStandardStreams(*many);
    };
  });
}

void AddChat(CLI::App& app, std::function<int()>& action) {
  CLI::App* command = AddCommand(app, "chat", "Talk with a model; it is told what was said before",
                                 "  llm-router chat\n  llm-router chat -r claude --system \"Be brief\"\n");
  const auto options = std::make_shared<ChatOptions>();
  AddModelOptions(*command, options->route, "Which route to ask; else chat lists them and asks", *options);
  AddServer(*command, options->server);
  AddTimeout(*command, options->server);
  command->footer("In a chat: /reset forgets what was said, /quit or Ctrl-D ends.");
  command->callback([options, &action] {
    action = [options] {
      options->at_terminal = AtTerminal();
      return RunChat(*options, std::cin, std::cout, std::cerr);
    };
  });
}

void AddRoutes(CLI::App& app, std::function<int()>& action) {
  CLI::App* command = AddCommand(app, "routes", "List the routes that workers serve now",
                                 "  llm-router routes\n  llm-router routes --json | jq '.[].route'\n");
  const auto options = std::make_shared<RoutesOptions>();
  command->add_flag("--json", options->json, "Print a JSON array");
  AddServer(*command, options->server);
  command->callback(
      [options, &action] { action = [options] { return RunRoutes(*options, std::cout, std::cerr); }; });
}

}  // namespace

void AddClientCommands(CLI::App& app, std::function<int()>& action) {
  AddAsk(app, action);
  AddChat(app, action);
  AddRoutes(app, action);
}

}  // namespace llm_router::cli
