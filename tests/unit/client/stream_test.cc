// Streams of the client against a worker that sends no chunks; those that do are the end-to-end tests'
// matter.
#include "client/client.h"
#include "tests/support/catch.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

Options At(const std::string& address) {
  Options options;
  options.address = address;
  options.timeout = std::chrono::seconds(60);
  return options;
}

TEST_CASE("a worker that does not stream is read as one piece, and the answer is there at the end") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server.address()));
  AnswerStream stream = client.Stream("openai", "Hello");
  std::string text;
  for (const Piece& piece : stream) text += piece.text;
  CHECK(text == "|Hello");
  CHECK(stream.is_whole());
  CHECK(stream.position().worker.empty());
  const auto answer = stream.Finish();
  REQUIRE(answer.ok());
  CHECK(answer->text == "|Hello");
  CHECK(answer->provider == "test");
  CHECK_FALSE(stream.Next());
}

TEST_CASE("what is wrong with a stream's question is the error of its end") {
  Client client(At("nowhere:1:2"));
  AnswerStream stream = client.Stream("openai", "Hello");
  CHECK_FALSE(stream.Next());
  CHECK(stream.Finish().error().code == ErrorCode::kInvalidRequest);
  Server server;
  Client there(At(server.address()));
  CHECK(there.Stream("openai", "").Finish().error().code == ErrorCode::kInvalidRequest);
  CHECK(there.Stream("nobody", "Hello").Finish().error().code == ErrorCode::kUnknownRoute);
}

TEST_CASE("a canceller ends a stream that waits, and so does the end of the client") {
  Server server;
  server.Beat({"slow"});
  StreamOptions options;
  Question question;
  question.route = "slow";
  question.text = "Hello";
  question.fail_fast = false;
  auto client = std::make_unique<Client>(At(server.address()));
  AnswerStream cancelled = client->Stream(question, options);
  options.canceller.Cancel();
  CHECK(cancelled.Finish().error().code == ErrorCode::kCancelled);
  AnswerStream left = client->Stream(question);
  client.reset();
  CHECK(left.Finish().error().code == ErrorCode::kCancelled);
}

TEST_CASE("a stream that nobody has any more can't be resumed") {
  Server server;
  Client client(At(server.address()));
  CHECK(client.Resume(StreamPosition{}).Finish().error().code == ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router::client
