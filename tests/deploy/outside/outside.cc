// Asks each route named one question, and the first of them for a stream.
#include <iostream>
#include <string>

#include "client/client.h"
#include "client/pattern.h"

int main(int argc, char** argv) {
  llm_router::client::Client client;
  for (int i = 1; i < argc; ++i) {
    const auto answer = client.Ask(argv[i], "In one sentence: what is a package?");
    if (!answer.ok()) {
      std::cerr << llm_router::client::NameOf(answer.error().code) << ": " << answer.error().message << '\n';
      return 1;
    }
    std::cout << answer->text << '\n';
  }
  llm_router::client::AnswerStream stream = client.Stream(argv[1], "In one sentence: what is a stream?");
  for (const llm_router::client::Piece& piece : stream) std::cout << piece.text;
  std::cout << '\n';
  return stream.Finish().ok() ? 0 : 1;
}
