// Prints an answer as it is made: example_stream [ROUTE]
#include <iostream>
#include <string>

#include "client/client.h"

namespace client = llm_router::client;

int main(int argc, char** argv) {
  client::Client asker;
  const std::string route = argc > 1 ? argv[1] : "openai";
  client::AnswerStream stream = asker.Stream(route, "In a few sentences: what is a message broker?");
  for (const client::Piece& piece : stream) std::cout << piece.text << std::flush;
  std::cout << '\n';

  const auto answer = stream.Finish();  // the whole one, or what ended it
  if (!answer.ok()) {
    std::cerr << client::NameOf(answer.error().code) << ": " << answer.error().message << '\n';
    return 1;
  }
  std::cerr << answer->provider << ' ' << answer->model << '\n';
  return 0;
}
