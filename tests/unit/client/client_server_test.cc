// The client against a server, over the wire.
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "client/client.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Options At(std::string address) {
  Options options;
  options.address = std::move(address);
  options.timeout = seconds(30);
  return options;
}

Question About(std::string route, std::string text) {
  Question question;
  question.route = std::move(route);
  question.text = std::move(text);
  return question;
}

Awaitable<absl::StatusOr<Reply>> FailBusy(Query) {
  co_return MakeFault(Fault::kProviderBusy, "the provider is busy: try again in 2 s", milliseconds(2000));
}

Awaitable<absl::StatusOr<Reply>> FailInReply(Query query) {
  Reply reply;
  reply.error = "the provider knows no model of that name: choose another";
  reply.message.body = contract::ErrorBody(TagOr(query.message.tags, contract::tag::kDialect),
                                           MakeFault(Fault::kProviderRejected, reply.error));
  co_return reply;
}

// Tells when a query came, and holds it until its caller goes away.
struct Held {
  std::promise<void> came;
  std::promise<void> cancelled;
};
Awaitable<absl::StatusOr<Reply>> Hold(std::shared_ptr<Held> held) {
  held->came.set_value();
  (void)co_await Sleep(TimePoint::max());
  held->cancelled.set_value();
  co_return MakeFault(Fault::kCancelled, "the caller went away");
}

Awaitable<absl::StatusOr<Reply>> Remember(Query query, std::shared_ptr<std::promise<Query>> seen) {
  seen->set_value(query);
  co_return EchoOf(query);
}

TEST_CASE("Ask brings the worker's answer and what it says about it") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server.address()));
  Question question = About("openai", "Hello \xc3\xa4");
  question.system = "Be brief";
  question.model = "m-1";
  question.request_id = "r-1";
  const auto answer = client.Ask(question);
  REQUIRE(answer.ok());
  CHECK(answer->text == "Be brief|Hello \xc3\xa4");
  CHECK(answer->model == "m-1");
  CHECK(answer->provider == "test");
  CHECK(answer->input_tokens == 3);
  CHECK(answer->output_tokens == 5);
  CHECK(answer->attempts == 2);
  CHECK(answer->warnings == std::vector<std::string>{"seed", "top_k"});
  CHECK(answer->tags.at("request-id") == "r-1");
}

TEST_CASE("AskAsync has many questions under way on one client") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server.address()));
  std::vector<std::future<Result<Answer>>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(client.AskAsync("openai", fmt::format("question {}", i)));
  for (int i = 0; i < 100; ++i) {
    const auto answer = answers[i].get();
    REQUIRE(answer.ok());
    CHECK(answer->text == fmt::format("|question {}", i));
  }
}

TEST_CASE("64 threads ask at once, and each gets its own answer") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server.address()));
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&client, &right, i] {
      for (int turn = 0; turn < 5; ++turn) {
        const std::string text = fmt::format("{} of {}", turn, i);
        const auto answer = client.Ask("openai", text);
        if (answer.ok() && answer->text == "|" + text) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 64 * 5);
}

TEST_CASE("a dialect's body reaches the worker byte for byte") {
  Server server;
  auto seen = std::make_shared<std::promise<Query>>();
  server.Serve("openai", [seen](Query query) { return Remember(std::move(query), seen); });
  Client client(At(server.address()));
  Question question;
  question.route = "openai";
  question.dialect = "openai.chat";
  question.body = R"({ "messages": [],  "x": 1.0 })";
  const auto answer = client.Ask(question);
  REQUIRE(answer.ok());
  const Query query = seen->get_future().get();
  CHECK(query.message.body == question.body);
  CHECK(TagOr(query.message.tags, "dialect") == "openai.chat");
}

TEST_CASE("a worker's failure keeps its code, its sentence and its wait") {
  Server server;
  server.Serve("busy", FailBusy);
  server.Serve("rejects", FailInReply);
  Client client(At(server.address()));
  const auto busy = client.Ask("busy", "Hello");
  REQUIRE_FALSE(busy.ok());
  CHECK(busy.error().code == ErrorCode::kProviderBusy);
  CHECK(busy.error().message == "the provider is busy: try again in 2 s");
  CHECK(busy.error().retry_after == milliseconds(2000));
  const auto rejected = client.Ask("rejects", "Hello");
  REQUIRE_FALSE(rejected.ok());
  CHECK(rejected.error().code == ErrorCode::kProviderRejected);
  CHECK(rejected.error().message == "the provider knows no model of that name: choose another");
}

TEST_CASE("a route that nobody serves is an error at once, or a wait when asked so") {
  Server server;
  Client client(At(server.address()));
  const auto at_once = client.Ask("nobody", "Hello");
  REQUIRE_FALSE(at_once.ok());
  CHECK(at_once.error().code == ErrorCode::kUnknownRoute);

  Question patient = About("late", "Hello");
  patient.fail_fast = false;
  auto answer = client.AskAsync(patient);
  server.ServeEcho("late");
  CHECK(answer.get().ok());

  patient.route = "never";
  patient.timeout = milliseconds(50);
  const auto late = client.Ask(patient);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::kTimeout);
  CHECK_THAT(late.error().message, Catch::Contains("never_requests"));
}

TEST_CASE("without a server Ask and Routes say where it was looked for and how to start one") {
  const std::string address = fmt::format("127.0.0.1:{}", UnusedPort());
  Options options = At(address);
  options.timeout = std::chrono::hours(1);  // a test that waits for it is a failed test
  Client client(options);
  const auto answer = client.Ask("openai", "Hello");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::kEngineUnavailable);
  CHECK_THAT(answer.error().message, Catch::Contains(address) && Catch::Contains("llm-router serve"));
  const auto routes = client.Routes();
  REQUIRE_FALSE(routes.ok());
  CHECK(routes.error().code == ErrorCode::kEngineUnavailable);
}

TEST_CASE("an address that is none is the error of every call, and nothing is sent for a bad question") {
  Client lost(At("not an address"));
  CHECK(lost.Ask("openai", "Hello").error().code == ErrorCode::kInvalidRequest);
  CHECK(lost.Routes().error().code == ErrorCode::kInvalidRequest);
  Client client(At(fmt::format("127.0.0.1:{}", UnusedPort())));
  CHECK(client.Ask("openai", "").error().code == ErrorCode::kInvalidRequest);
  CHECK(client.Ask("open ai", "Hello").error().code == ErrorCode::kInvalidRequest);
}

TEST_CASE("a client that is destroyed ends its questions as cancelled, and their work too") {
  Server server;
  auto held = std::make_shared<Held>();
  server.Serve("slow", [held](Query) { return Hold(held); });
  auto client = std::make_unique<Client>(At(server.address()));
  auto answer = client->AskAsync("slow", "Hello");
  held->came.get_future().wait();
  client.reset();
  const auto ended = answer.get();
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().code == ErrorCode::kCancelled);
  held->cancelled.get_future().wait();
}

TEST_CASE("a client that is destroyed at once still answers every future") {
  Server server;
  server.ServeEcho("openai");
  std::vector<std::future<Result<Answer>>> answers;
  {
    Client client(At(server.address()));
    for (int i = 0; i < 20; ++i) answers.push_back(client.AskAsync("openai", "Hello"));
  }
  for (auto& pending : answers) {
    const auto answer = pending.get();
    CHECK((answer.ok() || answer.error().code == ErrorCode::kCancelled));
  }
}

TEST_CASE("a client outlives its server and finds the next one at the same place") {
  auto server = std::make_unique<Server>();
  server->ServeEcho("openai");
  const int port = server->port();
  Client client(At(server->address()));
  REQUIRE(client.Ask("openai", "one").ok());
  server.reset();
  CHECK(client.Ask("openai", "two").error().code == ErrorCode::kEngineUnavailable);

  server = std::make_unique<Server>(port);
  server->ServeEcho("openai");
  const TimePoint until = Now() + seconds(30);
  auto answer = client.Ask("openai", "three");
  while (!answer.ok() && Now() < until) answer = client.Ask("openai", "three");
  REQUIRE(answer.ok());
  CHECK(answer->text == "|three");
}

TEST_CASE("Routes lists what the workers' heartbeats say, and nothing where there is no worker") {
  Server server;
  Client client(At(server.address()));
  const auto none = client.Routes(milliseconds(50));
  REQUIRE(none.ok());
  CHECK(none->empty());

  server.Beat({"openai", "claude"});
  const auto routes = client.Routes();
  REQUIRE(routes.ok());
  REQUIRE(routes->size() == 2);
  CHECK((*routes)[0].name == "claude");
  CHECK((*routes)[1].models == std::vector<std::string>{"openai-model"});
  CHECK((*routes)[1].workers == 1);
  CHECK((*routes)[1].capacity == 256);
}

}  // namespace
}  // namespace llm_router::client
