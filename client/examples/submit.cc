// Puts a question on the server's disk and waits for its answer: example_submit [ROUTE]
#include <iostream>
#include <string>

#include "client/client.h"

int main(int argc, char** argv) {
  const std::string route = argc > 1 ? argv[1] : "openai";
  llm_router::client::Client client;

  const auto job = client.Submit(route, "In one sentence: what is a durable queue?");
  if (!job.ok()) {
    std::cerr << job.error().message << '\n';
    return 1;
  }
  std::cerr << "job " << job->id()
            << " is kept\n";  // whatever restarts now: client.FindJob(id) finds it again

  const auto answer = job->Wait();
  if (!answer.ok()) {
    std::cerr << answer.error().message << '\n';
    return 1;
  }
  std::cout << answer->text << '\n';
}
