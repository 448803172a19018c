// The contract on several subscribers: who gets a query, how many at once, and what happens when one goes.
#include "proto/fault.h"
#include "tests/contract/worker.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

TEST_CASE("members of one group share the load, each query going to one of them") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Worker>(engine);
    const auto two = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(here, Queries(engine.Name()), one);
    const auto second = co_await Serve(there, Queries(engine.Name()), two);
    for (int i = 0; i < 40; ++i) REQUIRE((co_await caller.Request(Ask(engine.Name()))).ok());
    CHECK(one->started() + two->started() == 40);
    CHECK(one->started() > 0);
    CHECK(two->started() > 0);
  });
}

TEST_CASE("each group gets every query, and so does each subscriber without one; the first answer counts") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto fast = std::make_shared<Worker>(engine);
    const auto slow = std::make_shared<Worker>(engine);
    const auto alone = std::make_shared<Worker>(engine);
    fast->answer = [](const Query&) -> Result {
      Reply reply;
      reply.error = "first";
      return reply;
    };
    const auto first = co_await Serve(there, Queries(engine.Name(), "fast"), fast);
    const auto second = co_await Serve(there, Queries(engine.Name(), "slow"), slow);
    const auto third = co_await Serve(there, Queries(engine.Name(), ""), alone);
    fast->blocked = slow->blocked = alone->blocked = true;
    Calls calls(engine);
    const size_t call = calls.Start(caller, Ask(engine.Name()));
    for (const auto& worker : {fast, slow, alone}) {
      CHECK(co_await engine.Until([&] { return worker->started() == 1; }));
    }
    fast->Release();
    REQUIRE(co_await calls.Ended(call));
    if (!calls.result(call).ok()) FAIL(calls.result(call).status().ToString());
    CHECK_FALSE(calls.result(call)->executed);  // a failing first reply beats a later good one
    CHECK(calls.result(call)->error == "first");
    slow->Release();
    alone->Release();
    CHECK(co_await engine.Until([&] { return slow->running == 0 && alone->running == 0; }));
    fast->answer = nullptr;
    CHECK((co_await caller.Request(Ask(engine.Name(), "next")))->message.body == "next");
  });
}

TEST_CASE("patterns of queries: a star is one token, a last > one or more") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto star = std::make_shared<Worker>(engine);
    const auto rest = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(there, Queries(engine.Name(".one.*"), "star"), star);
    const auto second = co_await Serve(there, Queries(engine.Name(".all.>"), "rest"), rest);
    REQUIRE((co_await caller.Request(Ask(engine.Name(".one.x")))).ok());
    REQUIRE(star->started() == 1);
    CHECK(star->got.front().message.channel == engine.Name(".one.x"));
    REQUIRE((co_await caller.Request(Ask(engine.Name(".all.x.y")))).ok());
    CHECK(rest->started() == 1);
    for (const char* unmatched : {".one", ".one.x.y", ".all", ".other.x"}) {
      INFO(unmatched);
      const Result result = co_await caller.Request(Ask(engine.Name(unmatched), "x", Milliseconds(200)));
      CHECK(FaultOf(result.status()) == Fault::kTimeout);
    }
    CHECK(star->started() == 1);
    CHECK(rest->started() == 1);
  });
}

TEST_CASE("the same group on overlapping patterns acts as one") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Worker>(engine);
    const auto two = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(here, Queries(engine.Name(".*")), one);
    const auto second = co_await Serve(there, Queries(engine.Name(".x")), two);
    for (int i = 0; i < 20; ++i) REQUIRE((co_await caller.Request(Ask(engine.Name(".x")))).ok());
    CHECK(one->started() + two->started() == 20);
  });
}

TEST_CASE("no subscriber runs more than its capacity, and everything is answered") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto one = std::make_shared<Worker>(engine);
    const auto two = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(here, Queries(engine.Name(), "workers", 2), one);
    const auto second = co_await Serve(there, Queries(engine.Name(), "workers", 3), two);
    one->blocked = two->blocked = true;
    Calls calls(engine);
    for (int i = 0; i < 40; ++i) calls.Start(caller, Ask(engine.Name(), std::to_string(i)));
    REQUIRE(co_await engine.Until([&] { return one->running == 2; }));
    REQUIRE(co_await engine.Until([&] { return two->running == 3; }));
    one->Release();
    two->Release();
    REQUIRE(co_await calls.Join());
    for (size_t i = 0; i < calls.size(); ++i) CHECK(calls.result(i).ok());
    CHECK(one->most == 2);
    CHECK(two->most == 3);
  });
}

TEST_CASE("a query goes to the member with the fewest unanswered ones") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    if (caller.caps().dispatch != Dispatch::kLeastOutstanding) co_return;
    const auto one = std::make_shared<Worker>(engine);
    const auto two = std::make_shared<Worker>(engine);
    const auto first = co_await Serve(here, Queries(engine.Name()), one);
    const auto second = co_await Serve(there, Queries(engine.Name()), two);
    one->blocked = two->blocked = true;
    Calls calls(engine);
    calls.Start(caller, Ask(engine.Name(), "held"));
    REQUIRE(co_await engine.Until([&] { return one->started() + two->started() == 1; }));
    const auto& busy = one->started() == 1 ? one : two;
    const auto& idle = one->started() == 1 ? two : one;
    idle->Release();
    for (int i = 0; i < 20; ++i) REQUIRE((co_await caller.Request(Ask(engine.Name()))).ok());
    CHECK(busy->started() == 1);
    CHECK(idle->started() == 20);
    busy->Release();
    REQUIRE(co_await calls.Join());
  });
}

TEST_CASE("of several who have a query one goes away, and the answer of another counts") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto watching = std::make_shared<Worker>(engine);
    const auto serving = std::make_shared<Worker>(engine);
    auto watcher = co_await Serve(here, Queries(engine.Name(), ""), watching);
    const auto worker = co_await Serve(there, Queries(engine.Name()), serving);
    watching->blocked = serving->blocked = true;
    Calls calls(engine);
    const size_t call = calls.Start(caller, Ask(engine.Name()));
    for (const auto& who : {watching, serving}) {
      REQUIRE(co_await engine.Until([&] { return who->started() == 1; }));
    }
    watcher.reset();
    REQUIRE(co_await engine.Until([&] { return watching->running == 0; }));
    serving->Release();
    REQUIRE(co_await calls.Ended(call));
    if (!calls.result(call).ok()) FAIL(calls.result(call).status().ToString());
    CHECK(calls.result(call)->message.body == "hello");
  });
}

TEST_CASE("a subscription that ends gives its callers worker_lost at once, and others serve on") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    const auto lost = std::make_shared<Worker>(engine);
    auto leaving = co_await Serve(here, Queries(engine.Name()), lost);
    lost->blocked = true;
    Calls calls(engine);
    for (int i = 0; i < 5; ++i) calls.Start(caller, Ask(engine.Name()));
    REQUIRE(co_await engine.Until([&] { return lost->running == 5; }));
    leaving.reset();
    REQUIRE(co_await calls.Join());
    for (size_t i = 0; i < calls.size(); ++i) {
      CHECK(FaultOf(calls.result(i).status()) == Fault::kWorkerLost);
    }
    CHECK(co_await engine.Until([&] { return lost->cancelled == 5; }));
    const auto next = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(here, Queries(engine.Name()), next);
    CHECK((co_await caller.Request(Ask(engine.Name()))).ok());
    CHECK(lost->started() == 5);
  });
}

TEST_CASE("a worker that is lost costs its query nothing while another has it") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    if (!HoldsQueries(caller.caps())) co_return;  // elsewhere the lost one's failure is the first answer
    const auto lost = std::make_shared<Worker>(engine);
    const auto stays = std::make_shared<Worker>(engine);
    auto leaving = co_await Serve(here, Queries(engine.Name(), "first"), lost);
    const auto served = co_await Serve(here, Queries(engine.Name(), "second"), stays);
    lost->blocked = stays->blocked = true;
    Calls calls(engine);
    const size_t call = calls.Start(caller, Ask(engine.Name(), "kept"));
    REQUIRE(co_await engine.Until([&] { return lost->running == 1; }));
    REQUIRE(co_await engine.Until([&] { return stays->running == 1; }));
    leaving.reset();
    REQUIRE(co_await engine.Until([&] { return lost->cancelled == 1; }));
    stays->Release();
    REQUIRE(co_await calls.Ended(call));
    if (!calls.result(call).ok()) FAIL(calls.result(call).status().ToString());
    CHECK(calls.result(call)->message.body == "kept");
  });
}

Awaitable<void> DrainAndTell(std::shared_ptr<Subscription> subscription, std::shared_ptr<bool> drained,
                             std::shared_ptr<Signal> changed) {
  co_await subscription->Drain();
  *drained = true;
  changed->Notify();
}

TEST_CASE("Drain takes no more, and returns when what ran has been answered") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    const auto worker = std::make_shared<Worker>(engine);
    const std::shared_ptr leaving = co_await Serve(here, Queries(engine.Name(), "workers", 4), worker);
    worker->blocked = true;
    Calls calls(engine);
    for (int i = 0; i < 4; ++i) calls.Start(caller, Ask(engine.Name()));
    REQUIRE(co_await engine.Until([&] { return worker->running == 4; }));
    const auto drained = std::make_shared<bool>(false);
    engine.tasks().Spawn(DrainAndTell(leaving, drained, engine.changed()));
    worker->Release();
    REQUIRE(co_await engine.Until([&] { return *drained; }));
    CHECK(worker->running == 0);
    REQUIRE(co_await calls.Join());
    for (size_t i = 0; i < calls.size(); ++i) CHECK(calls.result(i).ok());
    const Result late = co_await caller.Request(Ask(engine.Name(), "late", Milliseconds(300)));
    CHECK(FaultOf(late.status()) == Fault::kTimeout);
    CHECK(worker->started() == 4);
  });
}

// Asks one after the other until told to stop, and counts what failed.
struct Load {
  bool stop = false;
  size_t answered = 0;
  std::vector<absl::Status> failures;
};
Awaitable<void> AskOnAndOn(std::shared_ptr<Load> load, Broker& broker, std::string channel) {
  while (!load->stop && !co_await Cancelled()) {
    const Result result = co_await broker.Request(Ask(channel));
    if (result.ok()) {
      ++load->answered;
    } else {
      load->failures.push_back(result.status());
    }
  }
}

TEST_CASE("a member that drains under load loses nothing") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    if (!HoldsQueries(caller.caps())) co_return;  // what was pushed to who leaves is gone there
    const auto stays = std::make_shared<Worker>(engine);
    const auto served = co_await Serve(there, Queries(engine.Name(), "workers", 4), stays);
    const auto load = std::make_shared<Load>();
    for (int i = 0; i < 32; ++i) {
      engine.tasks().Spawn(AskOnAndOn(load, caller, engine.Name()));
    }
    for (int round = 0; round < 10; ++round) {
      const auto worker = std::make_shared<Worker>(engine);
      const auto leaving = co_await Serve(here, Queries(engine.Name(), "workers", 4), worker);
      REQUIRE(co_await engine.Until([&] { return worker->started() >= 50; }));
      co_await leaving->Drain();
      CHECK(worker->running == 0);
    }
    load->stop = true;
    const size_t answered = load->answered;
    CHECK(answered >= 400);
    for (const absl::Status& failure : load->failures) FAIL_CHECK(failure.ToString());
    REQUIRE((co_await caller.Request(Ask(engine.Name()))).ok());
  });
}

TEST_CASE("who unsubscribed gets no more queries, and who stays gets them all") {
  OnEngine([](Engine& engine) -> Awaitable<void> {
    Broker& caller = *co_await engine.Connect();
    Broker& here = *co_await engine.Connect();
    Broker& there = *co_await engine.Connect();
    const auto gone = std::make_shared<Worker>(engine);
    const auto stays = std::make_shared<Worker>(engine);
    auto leaving = co_await Serve(here, Queries(engine.Name()), gone);
    const auto served = co_await Serve(there, Queries(engine.Name()), stays);
    leaving.reset();
    size_t answered = 0;
    for (const auto end = Now() + kPatience; answered < 20 && Now() < end;) {
      // Until the engine has heard of it, it may still push to who left: such a query times out.
      if ((co_await caller.Request(Ask(engine.Name(), "x", std::chrono::seconds(1)))).ok()) ++answered;
    }
    CHECK(answered == 20);
    CHECK(gone->started() == 0);
    CHECK(stays->started() == 20);
  });
}

}  // namespace
}  // namespace llm_router::test
