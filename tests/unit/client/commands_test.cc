#include "client/cli/commands.h"

#include <CLI/CLI.hpp>

#include "client/cli/console.h"
#include "client/cli/routes.h"
#include "tests/support/catch.h"

namespace llm_router::cli {
namespace {

// A command line as main has it.
struct Program {
  Program() { AddClientCommands(app, action); }

  // Nothing when it parses, else what was wrong.
  std::string Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app.parse(words);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return {};
  }

  CLI::App app;
  std::function<int()> action;
};

TEST_CASE("a command parsed sets what is to be run") {
  const std::vector<std::vector<std::string>> good = {
      {"ask", "Hello"},
      {"ask", "two", "words"},
      {"ask", "-"},
      {"ask"},
      {"ask", "-r", "openai", "--address", "h:1", "--model", "m", "--temperature", "0.5", "--max-tokens", "9",
       "--system", "s", "--timeout", "2.5", "--json", "Hello"},
      {"ask", "--file", "p.txt", "--concurrency", "16", "--quiet", "--json"},
      {"ask", "--file", "-"},
      {"ask", "--key", "k", "--ca", "ca.pem", "--cert", "me.pem", "--cert-key", "me.key", "Hello"},
      {"chat", "-r", "openai", "--model", "m", "--temperature", "0", "--max-tokens", "9", "--system", "s"},
      {"routes", "--json", "--address", "h:1"},
      {"routes", "--key", "k", "--ca", "system"},
      {"job", "submit", "-r", "openai", "--deadline", "60", "--reply-to", "q", "--idempotency-key", "k",
       "Hello"},
      {"job", "list", "--state", "failed", "-r", "openai", "-n", "5", "--json"},
      {"job", "show", "ID", "--json"},
      {"job", "retry", "ID"},
      {"job", "cancel", "ID"},
      {"job", "wait", "ID", "--timeout", "5"},
      {"batch", "submit", "b.jsonl", "--watch", "--batch-size", "10", "--concurrency", "4", "--json"},
      {"batch", "submit", "p.txt", "--text", "-r", "openai", "--model", "m", "--system", "s", "--window",
       "2"},
      {"batch", "watch", "ID"},
      {"batch", "status", "ID", "--json"},
      {"batch", "results", "ID", "-o", "r.jsonl", "--errors", "e.jsonl"},
      {"batch", "cancel", "ID", "--address", "h:1"},
      {"batch", "list", "-n", "5"},
  };
  for (const auto& words : good) {
    CAPTURE(words);
    Program program;
    CHECK(program.Parse(words) == "");
    CHECK(static_cast<bool>(program.action));
  }
}

TEST_CASE("a value out of bounds is refused with its flag's name") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> bad = {
      {{"ask", "--temperature", "3", "x"}, "--temperature"},
      {{"ask", "--temperature", "hot", "x"}, "--temperature"},
      {{"ask", "--max-tokens", "0", "x"}, "--max-tokens"},
      {{"ask", "--timeout", "0", "x"}, "--timeout"},
      {{"ask", "--timeout", "-1", "x"}, "--timeout"},
      {{"ask", "--timeout", "1e9", "x"}, "--timeout"},
      {{"ask", "--colour", "x"}, "--colour"},
      {{"ask", "--file", "p.txt", "--concurrency", "0"}, "--concurrency"},
      {{"ask", "--file", "p.txt", "--concurrency", "10001"}, "--concurrency"},
      {{"ask", "--file", "p.txt", "text"}, "--file"},
      {{"ask", "--concurrency", "2", "text"}, "--file"},
      {{"ask", "--quiet", "text"}, "--file"},
      {{"chat", "--max-tokens", "-1"}, "--max-tokens"},
      {{"routes", "extra"}, "extra"},
      {{"job"}, "subcommand"},
      {{"job", "list", "--state", "lost"}, "--state"},
      {{"job", "show"}, "ID"},
      {{"job", "submit", "--deadline", "-1", "x"}, "--deadline"},
      {{"batch"}, "subcommand"},
      {{"batch", "submit"}, "FILE"},
      {{"batch", "submit", "f", "--concurrency", "0"}, "--concurrency"},
      {{"batch", "submit", "f", "--model", "m"}, "--text"},
      {{"batch", "submit", "f", "--window", "1000"}, "--window"},
      {{"batch", "list", "-n", "0"}, "--limit"},
  };
  for (const auto& [words, flag] : bad) {
    CAPTURE(words);
    Program program;
    CHECK_THAT(program.Parse(words), Catch::Contains(flag));
    CHECK_FALSE(static_cast<bool>(program.action));
  }
}

TEST_CASE("help shows an example before it explains") {
  for (const char* name :
       {"ask", "chat", "routes", "job submit", "job list", "batch submit", "batch results"}) {
    Program program;
    CLI::App* command = &program.app;
    std::istringstream words(name);
    for (std::string word; words >> word;) command = command->get_subcommand(word);
    const std::string help = command->help();
    CAPTURE(help);
    const size_t example = help.find("llm-router " + std::string(name));
    REQUIRE(example != std::string::npos);
    CHECK(example < help.find("Usage:"));
    CHECK(help.find("--address") != std::string::npos);
  }
}

TEST_CASE("the table of routes lines its columns up") {
  client::Route openai{"openai", {"gpt-4o-mini", "gpt-4o"}, 2, 3, 512};
  client::Route claude{"claude", {"c"}, 1, 0, 256};
  CHECK(TableOf({claude, openai}) ==
        "ROUTE   MODELS               WORKERS  IN FLIGHT\n"
        "claude  c                          1      0/256\n"
        "openai  gpt-4o-mini, gpt-4o        2      3/512\n");
}

TEST_CASE("input over the limit is refused, not cut") {
  std::istringstream fits(std::string(20'000, 'x'));
  CHECK(ReadAll(fits, 20'000)->size() == 20'000);
  std::istringstream over(std::string(20'001, 'x'));
  CHECK_FALSE(ReadAll(over, 20'000).has_value());
}

TEST_CASE("a simulated answer and warnings are noted, others are not") {
  client::Answer answer;
  answer.provider = "openai";
  std::ostringstream err;
  WriteNotes(answer, err);
  CHECK(err.str().empty());
  answer.provider = "simulated";
  answer.warnings = {"top_k dropped"};
  WriteNotes(answer, err);
  CHECK_THAT(err.str(), Catch::StartsWith("note: simulated") && Catch::Contains("warning: top_k dropped\n"));
}

}  // namespace
}  // namespace llm_router::cli
