// AskMany against a server, over the wire.
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include "client/client.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

Options At(const Server& server) {
  Options options;
  options.address = server.address();
  options.timeout = std::chrono::seconds(30);
  return options;
}

std::vector<std::string> Numbered(size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back(fmt::format("question {}", i));
  return texts;
}

// A worker none of whose queries ends before all it waits for were there at once. Remembers how many at most
// were: those that are over count no more. Used on the server's loop alone.
struct Crowd {
  explicit Crowd(size_t members) : wanted(members) {}
  const size_t wanted;
  size_t came = 0;
  size_t here = 0;
  size_t most = 0;
};

Awaitable<absl::StatusOr<Reply>> WaitForCrowd(Query query, std::shared_ptr<Crowd> crowd) {
  ++crowd->came;
  crowd->most = std::max(crowd->most, ++crowd->here);
  while (crowd->came < crowd->wanted && co_await Sleep(Now() + Milliseconds(1))) {
  }
  --crowd->here;
  co_return EchoOf(query);
}

// Answers what ends in 0, fails what ends in 3, and holds the rest until it is cancelled.
struct Seen {
  std::promise<void> held;  // two of them
  int holding = 0;
  std::promise<void> cancelled;
};
Awaitable<absl::StatusOr<Reply>> AnswerSome(Query query, std::shared_ptr<Seen> seen) {
  const char last = query.message.body.back();
  if (last == '0') co_return EchoOf(query);
  if (last == '3') co_return MakeFault(Fault::kProviderBusy, "busy", Milliseconds(7));
  if (++seen->holding == 2) seen->held.set_value();
  (void)co_await Sleep(TimePoint::max());
  if (--seen->holding == 0) seen->cancelled.set_value();
  co_return MakeFault(Fault::kCancelled, "the caller went away");
}

TEST_CASE("AskMany gives one result for each question, in their order") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server));
  std::vector<size_t> order;
  ManyOptions options;
  options.concurrency = 7;
  options.on_progress = [&](const Progress& progress) {
    order.push_back(progress.index);
    CHECK(progress.done == order.size());
    CHECK(progress.total == 100);
    CHECK(progress.failed == 0);
    REQUIRE(progress.result.ok());
    CHECK(progress.result->text == fmt::format("|question {}", progress.index));
  };
  const auto results = client.AskMany("openai", Numbered(100), options);
  REQUIRE(results.size() == 100);
  for (size_t i = 0; i < results.size(); ++i) CHECK(results[i]->text == fmt::format("|question {}", i));
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < order.size(); ++i) CHECK(order[i] == i);
  CHECK(client.AskMany("openai", {}).empty());
}

TEST_CASE("AskMany has as many questions under way as it was told, and no more") {
  Server server;
  const auto crowd = std::make_shared<Crowd>(5);
  server.Serve("crowd", [crowd](Query query) { return WaitForCrowd(std::move(query), crowd); });
  Client client(At(server));
  ManyOptions options;
  options.concurrency = 5;
  for (const auto& result : client.AskMany("crowd", Numbered(100), options)) CHECK(result.ok());
  CHECK(crowd->most == 5);
}

TEST_CASE("a question that fails leaves the others alone, and a bad one is not sent") {
  Server server;
  server.Serve("openai",
               [seen = std::make_shared<Seen>()](Query query) { return AnswerSome(std::move(query), seen); });
  Client client(At(server));
  const auto results = client.AskMany("openai", {"10", "3", " ", "20"});
  REQUIRE(results.size() == 4);
  CHECK(results[0]->text == "|10");
  CHECK(results[1].error().code == ErrorCode::kProviderBusy);
  CHECK(results[1].error().retry_after == std::chrono::milliseconds(7));
  CHECK(results[2].error().code == ErrorCode::kInvalidRequest);
  CHECK(results[3]->text == "|20");
}

TEST_CASE("a Canceller aborts what is under way, leaves the rest unasked and keeps what is done") {
  Server server;
  const auto seen = std::make_shared<Seen>();
  server.Serve("openai", [seen](Query query) { return AnswerSome(std::move(query), seen); });
  Client client(At(server));
  ManyOptions options;
  options.concurrency = 2;
  std::thread other([canceller = options.canceller, seen] {
    seen->held.get_future().wait();
    canceller.Cancel();
  });
  const auto results = client.AskMany("openai", {"10", "a", "b", "20", "30"}, options);
  other.join();
  CHECK(results[0]->text == "|10");
  for (const size_t held : {1, 2}) CHECK(results[held].error().message == "cancelled before the answer came");
  for (const size_t unasked : {3, 4}) {
    CHECK(results[unasked].error().code == ErrorCode::kCancelled);
    CHECK(results[unasked].error().message == "cancelled before it was asked");
  }
  seen->cancelled.get_future().wait();  // the workers were told
  CHECK(client.Ask("openai", "40").ok());
}

TEST_CASE("AskMany with a Canceller that was used already asks nothing") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server));
  ManyOptions options;
  options.canceller.Cancel();
  options.canceller.Cancel();
  CHECK(options.canceller.cancelled());
  for (const auto& result : client.AskMany("openai", Numbered(40), options)) {
    CHECK((result.ok() || result.error().code == ErrorCode::kCancelled));
  }
}

TEST_CASE("on_progress may use the client and cancel, and what it throws leaves AskMany") {
  Server server;
  server.ServeEcho("openai");
  Client client(At(server));
  ManyOptions options;
  options.concurrency = 1;
  options.on_progress = [&](const Progress& progress) {
    if (progress.index > 0) return;
    CHECK(client.Ask("openai", "from within").ok());
    options.canceller.Cancel();
  };
  const auto results = client.AskMany("openai", Numbered(1'000), options);
  CHECK(results.front().ok());
  CHECK(results.back().error().code == ErrorCode::kCancelled);

  ManyOptions throwing;
  throwing.on_progress = [](const Progress&) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH(client.AskMany("openai", Numbered(100), throwing), "enough");
  CHECK(client.Ask("openai", "still here").ok());
}

TEST_CASE("a concurrency out of bounds and a client that can't work are every question's error") {
  Server server;
  Client client(At(server));
  for (const size_t concurrency : {0, 10'001}) {
    ManyOptions options;
    options.concurrency = concurrency;
    const auto results = client.AskMany("openai", Numbered(2), options);
    REQUIRE(results.size() == 2);
    CHECK(results[1].error().code == ErrorCode::kInvalidRequest);
    CHECK_THAT(results[1].error().message, Catch::Contains("from 1 to 10000"));
  }
  Options nowhere;
  nowhere.address = "not an address";
  CHECK(Client(nowhere).AskMany("openai", Numbered(2)).back().error().code == ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router::client
