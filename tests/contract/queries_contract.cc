// The contract on one query: what arrives, what comes back, and how it fails.
#include <numeric>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/contract/worker.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

// Every byte there is, zero included.
std::string AllBytes() {
  std::string bytes(256, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  return bytes;
}

TEST_CASE("a query reaches its worker with every field, and so does the reply its caller") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    worker->answer = [](const Query& query) -> Result {
      Reply reply;
      reply.executed = true;
      reply.message.id = query.message.id;
      reply.message.body = AllBytes() + "reply";
      reply.message.metadata = "reply metadata";
      reply.message.span = AllBytes();
      reply.message.timestamp = 1'700'000'000'000'000'001;
      reply.message.tags = {{"model", "m"}, {"empty", ""}};
      return reply;
    };
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);

    Query query = Ask(engine.Name(), AllBytes());
    query.message.id = "id-1";
    query.message.client_id = "caller-1";
    query.message.metadata = "metadata \xc3\xa9";
    query.message.span = AllBytes();
    query.message.tags = {{"temperature", "0.5"}, {"x", ""}, {"accent", "\xc3\xa9"}};
    const Message sent = query.message;
    const Result result = co_await caller.Request(std::move(query));

    REQUIRE(worker->started() == 1);
    const Query& got = worker->got.front();
    CHECK(got.kind == Kind::kQuery);
    CHECK(got.message.id == sent.id);
    CHECK(got.message.channel == sent.channel);
    CHECK(got.message.body == sent.body);
    CHECK(got.message.metadata == sent.metadata);
    CHECK(got.message.client_id == sent.client_id);
    CHECK(got.message.span == sent.span);
    CHECK(got.message.tags == sent.tags);
    CHECK(got.deadline > Now());
    CHECK(got.deadline < Now() + kPatience + std::chrono::seconds(1));

    if (!result.ok()) FAIL(result.status().ToString());
    CHECK(result->executed);
    CHECK(result->error.empty());
    CHECK_FALSE(result->cache_hit);
    CHECK(result->message.id == "id-1");
    CHECK(result->message.body == AllBytes() + "reply");
    CHECK(result->message.metadata == "reply metadata");
    CHECK(result->message.span == AllBytes());
    CHECK(result->message.timestamp == 1'700'000'000'000'000'001);
    CHECK(result->message.tags == Tags{{"model", "m"}, {"empty", ""}});
  });
}

TEST_CASE("a reply that says it did not execute is a reply, with its error and its body") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    worker->answer = [](const Query&) -> Result {
      Reply reply;
      reply.error = "the provider says no";
      reply.message.body = "{}";
      return reply;
    };
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    const Result result = co_await caller.Request(Ask(engine.Name()));
    if (!result.ok()) FAIL(result.status().ToString());
    CHECK_FALSE(result->executed);
    CHECK(result->error == "the provider says no");
    CHECK(result->message.body == "{}");
  });
}

TEST_CASE("a handler's failed status is the caller's, with its fault and its sentence") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    worker->answer = [](const Query&) -> Result {
      return MakeFault(Fault::kProviderBusy, "the provider is busy: come back later");
    };
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    const Result result = co_await caller.Request(Ask(engine.Name()));
    CHECK(FaultOf(result.status()) == Fault::kProviderBusy);
    CHECK(MessageOf(result.status()) == "the provider is busy: come back later");
  });
}

TEST_CASE("commands and queries of one channel are apart") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto commands = std::make_shared<Worker>(engine);
    const auto queries = std::make_shared<Worker>(engine);
    const auto first =
        co_await Serve(there, ServeOptions(Kind::kCommand, engine.Name(), "workers", 1), commands);
    const Result unheard = co_await caller.Request(Ask(engine.Name(), "a query", Milliseconds(300)));
    CHECK(FaultOf(unheard.status()) == Fault::kTimeout);
    const auto second = co_await Serve(there, Queries(engine.Name()), queries);
    const Result command = co_await caller.Request(
        Query(Kind::kCommand, Message(engine.Name(), "a command"), Now() + kPatience));
    if (!command.ok()) FAIL(command.status().ToString());
    CHECK(command->executed);
    REQUIRE(commands->started() == 1);
    CHECK(commands->got.front().kind == Kind::kCommand);
    CHECK(commands->got.front().message.body == "a command");
    CHECK(queries->started() == 0);
  });
}

TEST_CASE("nobody answers: timeout at the deadline, with a sentence") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    const TimePoint deadline = Now() + Milliseconds(300);
    const Result result =
        co_await caller.Request(Query(Kind::kQuery, Message(engine.Name(), "hello"), deadline));
    CHECK(FaultOf(result.status()) == Fault::kTimeout);
    CHECK_FALSE(MessageOf(result.status()).empty());
    CHECK(Now() >= deadline - Milliseconds(1));  // a wire counts in whole milliseconds
  });
}

TEST_CASE("at the deadline the caller gets timeout and the handler is cancelled") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name(), "workers", 1), worker);
    worker->blocked = true;
    const Result result = co_await caller.Request(Ask(engine.Name(), "slow", Milliseconds(500)));
    CHECK(FaultOf(result.status()) == Fault::kTimeout);
    CHECK(co_await engine.Until([&] { return worker->cancelled == 1; }));
    worker->Release();
    CHECK((co_await caller.Request(Ask(engine.Name(), "next"))).ok());  // its place is free again
  });
}

TEST_CASE(
    "a caller that is cancelled gets cancelled, and so does its handler, by the deadline at the latest") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name(), "workers", 1), worker);
    worker->blocked = true;
    Calls calls(engine);
    const size_t call = calls.Start(caller, Ask(engine.Name(), "given up", std::chrono::seconds(3)));
    REQUIRE(co_await engine.Until([&] { return worker->started() == 1; }));
    calls.Cancel(call);
    REQUIRE(co_await calls.Ended(call));
    CHECK(FaultOf(calls.result(call).status()) == Fault::kCancelled);
    CHECK(co_await engine.Until([&] { return worker->cancelled == 1; }));
    worker->Release();
    CHECK((co_await caller.Request(Ask(engine.Name(), "next"))).ok());
  });
}

TEST_CASE("a query that came before its subscriber is answered at once when one comes") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    if (!HoldsQueries(caller.caps())) co_return;
    const auto worker = std::make_shared<Worker>(engine);
    Calls calls(engine);
    for (int i = 0; i < 10; ++i) calls.Start(caller, Ask(engine.Name(), std::to_string(i)));
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    REQUIRE(co_await calls.Join());
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!calls.result(i).ok()) FAIL(calls.result(i).status().ToString());
      CHECK(calls.result(i)->message.body == std::to_string(i));
    }
  });
}

TEST_CASE("a body of the largest size goes there and back, and one byte more is refused by name") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    std::string body(caller.caps().max_body, 'x');
    body.back() = 'y';
    const Result largest = co_await caller.Request(Ask(engine.Name(), body));
    if (!largest.ok()) FAIL(largest.status().ToString());
    CHECK((largest->message.body == body));  // not shown when it fails

    const Result over = co_await caller.Request(Ask(engine.Name(), body + "z"));
    CHECK(FaultOf(over.status()) == Fault::kTooLarge);
    CHECK(MessageOf(over.status()).find("limits.body") != std::string_view::npos);
    CHECK(worker->started() == 1);

    worker->answer = [&body](const Query&) -> Result {
      Reply reply;
      reply.executed = true;
      reply.message.body = body + "z";
      return reply;
    };
    const Result swollen = co_await caller.Request(Ask(engine.Name()));
    CHECK(FaultOf(swollen.status()) == Fault::kTooLarge);
  });
}

TEST_CASE("channels that can't be are refused, and later queries go on") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    for (const char* bad : {"", "two words", "a.*", "a.>", "a.", "*"}) {
      INFO(bad);
      CHECK(FaultOf((co_await caller.Request(Ask(bad))).status()) == Fault::kInvalidRequest);
    }
    CHECK((co_await caller.Request(Ask(engine.Name()))).ok());
  });
}

TEST_CASE("a thousand queries at once each get their own answer") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Worker>(engine);
    const auto two = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(here, Queries(engine.Name(), "workers", 64), one);
    const auto second = co_await Serve(there, Queries(engine.Name(), "workers", 64), two);
    Calls calls(engine);
    for (int i = 0; i < 1000; ++i) calls.Start(caller, Ask(engine.Name(), std::to_string(i)));
    REQUIRE(co_await calls.Join());
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!calls.result(i).ok()) FAIL(calls.result(i).status().ToString());
      CHECK(calls.result(i)->message.body == std::to_string(i));
    }
    CHECK(one->started() + two->started() == 1000);
    CHECK(one->most <= 64);
    CHECK(two->most <= 64);
  });
}

TEST_CASE("Stop fails what is pending with shutting_down, and refuses what comes later") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name()), worker);
    worker->blocked = true;
    Calls calls(engine);
    const size_t running = calls.Start(caller, Ask(engine.Name()));
    const size_t waiting = calls.Start(caller, Ask(engine.Name(".nobody")));
    REQUIRE(co_await engine.Until([&] { return worker->started() == 1; }));
    co_await caller.Stop();
    REQUIRE(co_await calls.Join());
    CHECK(FaultOf(calls.result(running).status()) == Fault::kShuttingDown);
    CHECK(FaultOf(calls.result(waiting).status()) == Fault::kShuttingDown);
    CHECK(FaultOf((co_await caller.Request(Ask(engine.Name()))).status()) == Fault::kShuttingDown);
    worker->Release();
  });
}

}  // namespace
}  // namespace llm_router::test
