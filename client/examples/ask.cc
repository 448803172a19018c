// Asks one question and prints the answer: example_ask [ROUTE]
#include <iostream>
#include <string>

#include "client/client.h"

int main(int argc, char** argv) {
  const std::string route = argc > 1 ? argv[1] : "openai";  // the channel is openai_requests
  llm_router::client::Client client;                        // $LLM_ROUTER_ADDRESS, else 127.0.0.1:50000

  const auto answer = client.Ask(route, "In one sentence: what is a message broker?");
  if (!answer.ok()) {
    std::cerr << answer.error().message << '\n';
    return 1;
  }
  std::cout << answer->text << "\n(" << answer->model << ", " << answer->provider << ")\n";
}
