// Asks several questions at once and prints each answer: example_ask_async [ROUTE]
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"

namespace client = llm_router::client;

int main(int argc, char** argv) {
  client::Options options;
  options.route = argc > 1 ? argv[1] : "openai";
  options.timeout = std::chrono::seconds(30);
  client::Client asker(options);

  std::vector<std::future<client::Result<client::Answer>>> answers;
  for (const char* word : {"broker", "queue", "worker"}) {
    client::Question question;
    question.text = std::string("In one sentence: what is a ") + word + "?";
    question.system = "You explain messaging to a newcomer.";
    question.max_tokens = 60;
    answers.push_back(asker.AskAsync(question));  // all three are under way before the first answer
  }

  int failures = 0;
  for (auto& pending : answers) {
    const auto answer = pending.get();
    if (answer.ok()) {
      std::cout << answer->text << "\n\n";
    } else if (answer.error().code == client::ErrorCode::kTimeout) {
      std::cerr << "too slow: " << answer.error().message << '\n';
      ++failures;
    } else {
      std::cerr << client::NameOf(answer.error().code) << ": " << answer.error().message << '\n';
      ++failures;
    }
  }
  return failures == 0 ? 0 : 1;
}
