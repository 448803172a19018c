// The commands against a server, with streams for a terminal.
#include <fmt/format.h>

#include <sstream>

#include "client/cli/ask.h"
#include "client/cli/chat.h"
#include "client/cli/console.h"
#include "client/cli/routes.h"
#include "tests/support/catch.h"
#include "tests/unit/client/server.h"

namespace llm_router::cli {
namespace {

using client::Server;
using client::UnusedPort;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome Ask(AskOptions options, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = RunAsk(options, client::Canceller(), in, out, err);
  return {code, out.str(), err.str()};
}

Outcome Chat(ChatOptions options, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out, err;
  ChatState state;
  const int code = RunChat(options, state, in, out, err);
  return {code, out.str(), err.str()};
}

AskOptions AskAt(const Server& server, std::string route, std::string text) {
  AskOptions options;
  options.server.address = server.address();
  options.question.route = std::move(route);
  options.question.text = std::move(text);
  return options;
}

ChatOptions ChatAt(const Server& server, std::string route) {
  ChatOptions options;
  options.server.address = server.address();
  options.route = std::move(route);
  return options;
}

// A worker that answers a chat with the request it got.
Awaitable<absl::StatusOr<Reply>> MirrorChat(Query query) {
  std::string escaped;
  for (const char c : query.message.body) escaped += c == '"' ? std::string("'") : std::string(1, c);
  Reply reply;
  reply.executed = true;
  reply.message.body = fmt::format(R"({{"choices":[{{"message":{{"content":"{}"}}}}]}})", escaped);
  reply.message.tags = {{"content-type", "application/json"}, {"provider", "simulated"}};
  co_return reply;
}

TEST_CASE("ask prints the answer of its argument or of standard input") {
  Server server;
  server.ServeEcho("openai");
  const Outcome argument = Ask(AskAt(server, "openai", "Hello"));
  CHECK(argument.code == kDone);
  CHECK(argument.out == "|Hello\n");
  CHECK(Ask(AskAt(server, "openai", ""), "from a pipe").out == "|from a pipe\n");
  CHECK(Ask(AskAt(server, "openai", "-"), "from a pipe").out == "|from a pipe\n");
}

TEST_CASE("ask --json prints one object with the usage") {
  Server server;
  server.ServeEcho("openai");
  AskOptions options = AskAt(server, "openai", "Hello");
  options.json = true;
  CHECK(Ask(options).out ==
        R"({"response":"|Hello","model":"m","provider":"test","usage":{"input_tokens":3,"output_tokens":5},)"
        R"("attempts":2,"warnings":["seed","top_k"]})"
        "\n");
}

TEST_CASE("ask without a route asks the only one there is, else names them") {
  Server server;
  server.ServeEcho("lab");
  server.Beat({"lab"});
  const Outcome only = Ask(AskAt(server, "", "Hello"));
  CHECK(only.out == "|Hello\n");

  server.Beat({"claude"});
  const Outcome several = Ask(AskAt(server, "", "Hello"));
  CHECK(several.code == kFailed);
  CHECK_THAT(several.err, Catch::Contains("claude, lab") && Catch::Contains("-r"));

  server.ServeEcho("openai");
  CHECK(Ask(AskAt(server, "", "Hello")).code == kDone);
}

TEST_CASE("ask called wrongly says how, and exits with 2") {
  Server server;
  CHECK(Ask(AskAt(server, "openai", "")).code == kUsage);
  CHECK(Ask(AskAt(server, "openai", " \n")).code == kUsage);
  CHECK(Ask(AskAt(server, "open ai", "Hello")).code == kUsage);
  AskOptions keyboard = AskAt(server, "openai", "");
  keyboard.at_terminal = true;
  const Outcome outcome = Ask(keyboard);
  CHECK(outcome.code == kUsage);
  CHECK_THAT(outcome.err, Catch::Contains("llm-router ask"));
  AskOptions small = AskAt(server, "openai", "");
  small.server.max_body = 10;
  CHECK(Ask(small, "more than ten bytes").code == kUsage);
}

TEST_CASE("a question that fails is an error line and exit code 1") {
  AskOptions options;
  options.server.address = fmt::format("127.0.0.1:{}", UnusedPort());
  options.question.text = "Hello";
  const Outcome outcome = Ask(options);
  CHECK(outcome.code == kFailed);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Catch::StartsWith("error: ") && Catch::Contains("llm-router serve"));
}

TEST_CASE("chat keeps the conversation until it is reset") {
  Server server;
  server.Serve("openai", MirrorChat);
  ChatOptions options = ChatAt(server, "openai");
  options.system = "S";
  const Outcome outcome = Chat(options, "one\n\n  two \n/reset\nthree\n/quit\nfour\n");
  CHECK(outcome.code == kDone);
  std::istringstream lines(outcome.out);
  std::string first, second, third, more;
  std::getline(lines, first);
  std::getline(lines, second);
  std::getline(lines, third);
  CHECK(first == "{'messages':[{'role':'system','content':'S'},{'role':'user','content':'one'}]}");
  CHECK_THAT(second, Catch::Contains("'assistant'") && Catch::EndsWith("{'role':'user','content':'two'}]}"));
  CHECK(third == "{'messages':[{'role':'system','content':'S'},{'role':'user','content':'three'}]}");
  CHECK_FALSE(std::getline(lines, more));
  CHECK_THAT(outcome.err, Catch::Contains("note: simulated"));
}

TEST_CASE("chat without a route lists them and takes a number or a name") {
  Server server;
  server.Serve("claude", MirrorChat);
  server.Beat({"openai", "claude"});
  const Outcome number = Chat(ChatAt(server, ""), "7\n1\nHi\n");
  CHECK(number.code == kDone);
  CHECK_THAT(number.err, Catch::Contains("1  claude  claude-model\n2  openai  openai-model\n") &&
                             Catch::Contains("choose a number from 1 to 2"));
  CHECK_THAT(number.out, Catch::Contains("'Hi'"));
  CHECK_THAT(Chat(ChatAt(server, ""), "claude\nHi\n").out, Catch::Contains("'Hi'"));
  CHECK(Chat(ChatAt(server, ""), "").code == kUsage);
}

TEST_CASE("a question of a chat that fails is not part of the conversation, and shows in the exit code") {
  Server server;
  const Outcome outcome = Chat(ChatAt(server, "nobody"), "one\ntwo\n");
  CHECK(outcome.code == kFailed);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Catch::Contains("error: "));
}

TEST_CASE("routes prints a table, JSON, or a note that there is no worker") {
  Server server;
  RoutesOptions options;
  options.server.address = server.address();
  std::ostringstream out, err;
  CHECK(RunRoutes(options, out, err) == kDone);
  CHECK(out.str().empty());
  CHECK_THAT(err.str(), Catch::Contains("no worker"));

  server.Beat({"openai"});
  CHECK(RunRoutes(options, out, err) == kDone);
  CHECK_THAT(out.str(), Catch::Contains("openai  openai-model        1      0/256\n"));
  std::ostringstream json;
  options.json = true;
  CHECK(RunRoutes(options, json, err) == kDone);
  CHECK(json.str() ==
        R"([{"route":"openai","models":["openai-model"],"workers":1,"in_flight":0,"capacity":256}])"
        "\n");
}

}  // namespace
}  // namespace llm_router::cli
