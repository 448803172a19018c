// What the commands' flags share: help that begins with an example, bounds, and the flags that several have.
// Main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "client/cli/progress_line.h"
#include "client/client.h"

namespace llm_router::cli {

// What a parsed command line is to run; gives the exit code.
using Action = std::function<int()>;

// Range says its bounds in the error; in the help they would only push the columns apart.
template <class Number>
CLI::Validator Between(Number least, Number most) {
  return CLI::Range(least, most).description("");
}

// A command whose help shows `example` above everything else.
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     const std::string& example);

// Where the server is and how to be let in.
void AddServer(CLI::App& command, client::Options& server);
// --timeout, of one question.
void AddTimeout(CLI::App& command, client::Options& server);
void AddJson(CLI::App& command, bool& json, const std::string& help);

// Which model, and how it is asked. `Options` has the members of client::Question of these names.
template <class Options>
void AddModelFlags(CLI::App& command, Options& options) {
  command.add_option("--model", options.model, "A model the route lists; else its first")->type_name("M");
  command.add_option("--system", options.system, "The system prompt")->type_name("TEXT");
  command.add_option("--temperature", options.temperature, "0 to 2")
      ->type_name("T")
      ->check(Between(0.0, 2.0));
  command.add_option("--max-tokens", options.max_tokens, "The longest answer, in tokens")
      ->type_name("N")
      ->check(Between<std::int64_t>(1, INT64_MAX));
}
void AddRoute(CLI::App& command, std::string& route, const std::string& help);

// Words of a command line as one text.
std::string Joined(const std::vector<std::string>& words);

// Standard input is somebody's keyboard.
bool AtTerminal();
// How progress is shown on standard error.
ProgressLine::Form ProgressForm();

}  // namespace llm_router::cli
