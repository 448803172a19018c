// Submits a batch of prompts, shows its progress and prints the answers: example_batch [ROUTE]
#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"

namespace client = llm_router::client;

int main(int argc, char** argv) {
  client::BatchOptions options;
  options.route = argc > 1 ? argv[1] : "openai";
  options.concurrency = 4;
  std::vector<std::string> prompts;
  for (int year = 1990; year < 2000; ++year) {
    prompts.push_back("In one sentence: what is a computer of " + std::to_string(year) + "?");
  }

  client::Client asker;
  const auto batch = asker.SubmitBatch(prompts, options);  // or a file: SubmitBatch("questions.jsonl")
  if (!batch.ok()) {
    std::cerr << batch.error().message << '\n';
    return 1;
  }
  client::BatchWait wait;
  wait.on_progress = [](const client::BatchStatus& status) {
    std::cerr << status.done() << " of " << status.total << " done, " << status.failed << " failed\n";
  };
  const auto end = batch->Wait(wait);
  if (!end.ok()) {
    std::cerr << end.error().message << '\n';
    return 1;
  }
  const auto read = batch->Results([](const client::BatchResult& result) {  // as they finished
    std::cout << result.custom_id << ": "
              << (result.answer.ok() ? result.answer->text : result.answer.error().message) << '\n';
  });
  return read.ok() && end->failed == 0 ? 0 : 1;
}
