// `ask --file` against a server, with streams for a terminal.
#include "client/cli/ask_file.h"

#include <fmt/format.h>

#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "client/cli/console.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/client/server.h"

namespace llm_router::cli {
namespace {

using client::Canceller;
using client::Server;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome AskFile(const AskFileOptions& options, const std::string& input, const Canceller& canceller = {}) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = RunAskFile(options, canceller, in, out, err);
  return {code, out.str(), err.str()};
}

AskFileOptions At(const std::string& address, std::string route) {
  AskFileOptions options;
  options.server.address = address;
  options.question.route = std::move(route);
  options.file = "-";
  options.concurrency = 4;
  return options;
}

// Fails every prompt that begins with "bad".
Awaitable<absl::StatusOr<Reply>> EchoOrFail(Query query) {
  if (query.message.body.starts_with("bad")) {
    co_return MakeFault(Fault::kProviderBusy, "the provider is busy: try again in 2 s", Milliseconds(2000));
  }
  co_return client::EchoOf(query);
}

// Answers "one", and holds the rest until they are cancelled.
Awaitable<absl::StatusOr<Reply>> AnswerOne(Query query, std::shared_ptr<std::promise<void>> held) {
  if (query.message.body == "one") co_return client::EchoOf(query);
  held->set_value();
  (void)co_await Sleep(TimePoint::max());
  co_return MakeFault(Fault::kCancelled, "the caller went away");
}

TEST_CASE("the answers come in the order of the lines, and a summary ends the run") {
  Server server;
  server.ServeEcho("openai");
  std::string prompts, wanted;
  for (int i = 0; i < 30; ++i) {
    prompts += fmt::format("question {}\n", i);
    wanted += fmt::format("|question {}\n", i);
  }
  const Outcome outcome = AskFile(At(server.address(), "openai"), prompts);
  CHECK(outcome.code == kDone);
  CHECK(outcome.out == wanted);
  CHECK_THAT(outcome.err, Catch::Contains("15 of 30 done\n") &&
                              Catch::Contains("warning: seed (30 answers)\n") &&
                              Catch::EndsWith("30 of 30 answered\n"));
}

TEST_CASE("failures are named by their line, the others are answered, and the exit code says so") {
  Server server;
  server.Serve("openai", EchoOrFail);
  AskFileOptions options = At(server.address(), "openai");
  const Outcome text = AskFile(options, "one\n\nbad\nfour\nbad");
  CHECK(text.code == kFailed);
  CHECK(text.out == "|one\n|four\n");
  CHECK_THAT(text.err, Catch::Contains("error: line 3: the provider is busy: try again in 2 s\n") &&
                           Catch::EndsWith("2 of 4 answered, 2 failed: lines 3, 5\n"));

  options.json = true;
  options.quiet = true;
  const Outcome json = AskFile(options, "bad\ntwo");
  CHECK(json.code == kFailed);
  CHECK(
      json.out ==
      R"({"line":1,"error":{"message":"the provider is busy: try again in 2 s","code":"provider_busy","retry_after_ms":2000}})"
      "\n"
      R"({"line":2,"response":"|two","model":"m","provider":"test","usage":{"input_tokens":3,"output_tokens":5},)"
      R"("attempts":2,"warnings":["seed","top_k"]})"
      "\n");
  CHECK(json.err == "error: line 1: the provider is busy: try again in 2 s\n");
}

TEST_CASE("all questions share model, system prompt and route") {
  Server server;
  server.ServeEcho("lab");
  server.Beat({"lab"});
  AskFileOptions options = At(server.address(), "");  // the only route there is
  options.question.system = "Be brief";
  CHECK(AskFile(options, "one\ntwo").out == "Be brief|one\nBe brief|two\n");
}

TEST_CASE("a run that is cancelled keeps what was answered, says so, and exits with 130") {
  Server server;
  const auto held = std::make_shared<std::promise<void>>();
  server.Serve("openai", [held](Query query) { return AnswerOne(std::move(query), held); });
  AskFileOptions options = At(server.address(), "openai");
  options.concurrency = 1;
  const Canceller canceller;
  std::thread other([canceller, held] {
    held->get_future().wait();
    canceller.Cancel();
  });
  const Outcome outcome = AskFile(options, "one\ntwo\nthree\n", canceller);
  other.join();
  CHECK(outcome.code == kInterrupted);
  CHECK(outcome.out == "|one\n");
  CHECK_THAT(outcome.err, Catch::EndsWith("1 of 3 answered, 2 not done\n"));
}

TEST_CASE("without a server or a route the first failure ends the run") {
  std::string prompts;
  for (int i = 0; i < 1'000; ++i) prompts += "question\n";
  const Outcome lost = AskFile(At(fmt::format("127.0.0.1:{}", client::UnusedPort()), "openai"), prompts);
  CHECK(lost.code == kFailed);
  CHECK_THAT(lost.err, Catch::StartsWith("0 of 1000 answered, 1000 not done\nerror: ") &&
                           Catch::EndsWith("`llm-router serve` starts one\n"));
  CHECK(std::count(lost.err.begin(), lost.err.end(), '\n') == 2);

  Server server;
  const Outcome nobody = AskFile(At(server.address(), "nobody"), prompts);
  CHECK(nobody.code == kFailed);
  CHECK_THAT(nobody.err,
             Catch::StartsWith("0 of 1000 answered, 1000 not done\nerror: ") && Catch::Contains("nobody"));
}

TEST_CASE("a file that can't be read or asked is named, and nothing is sent") {
  AskFileOptions options = At("127.0.0.1:1", "openai");
  CHECK(AskFile(options, "").code == kUsage);
  CHECK_THAT(AskFile(options, "one\n\xFF").err, Catch::Contains("standard input:2: is not UTF-8"));
  options.file = "no-such-file.txt";
  CHECK(
      AskFile(options, "one").err ==
      "error: no-such-file.txt: can't be read: No such file or directory: check its path and permissions\n");
  options.file = ".";
  CHECK_THAT(AskFile(options, "one").err, Catch::Contains("Is a directory"));
  options.question.route = "open ai";
  CHECK(AskFile(options, "one").code == kUsage);
}

}  // namespace
}  // namespace llm_router::cli
