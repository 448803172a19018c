// Asks many questions, a few at a time, and prints the answers in order: example_ask_many [ROUTE]
#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/pattern.h"

namespace client = llm_router::client;

int main(int argc, char** argv) {
  const std::string route = argc > 1 ? argv[1] : "openai";
  std::vector<std::string> prompts;
  for (int year = 1990; year < 2000; ++year) {
    prompts.push_back("In one sentence: what is a computer of " + std::to_string(year) + "?");
  }

  client::Work work;
  work.count = prompts.size();
  const client::Advice advice = client::ChoosePattern(work);
  std::cerr << advice.call << ": " << advice.reason << '\n';

  client::ManyOptions options;
  options.concurrency = 4;
  options.on_progress = [](const client::Progress& progress) {
    std::cerr << progress.done << " of " << progress.total << " done, " << progress.failed << " failed\n";
  };
  client::Client asker;
  int failures = 0;
  for (const auto& answer : asker.AskMany(route, prompts, options)) {
    if (answer.ok()) {
      std::cout << answer->text << '\n';
    } else {
      std::cerr << client::NameOf(answer.error().code) << ": " << answer.error().message << '\n';
      ++failures;
    }
  }
  return failures == 0 ? 0 : 1;
}
