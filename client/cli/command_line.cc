#include "client/cli/command_line.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

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

}  // namespace

CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->formatter(std::make_shared<ExampleFirst>(example));
  return command;
}

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

void AddJson(CLI::App& command, bool& json, const std::string& help) {
  command.add_flag("--json", json, help);
}

void AddRoute(CLI::App& command, std::string& route, const std::string& help) {
  command.add_option("-r,--route", route, help)->type_name("ROUTE");
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool AtTerminal() { return isatty(STDIN_FILENO) == 1; }

ProgressLine::Form ProgressForm() {
  return isatty(STDERR_FILENO) == 1 ? ProgressLine::Form::kBar : ProgressLine::Form::kLines;
}

}  // namespace llm_router::cli
