// Every verb of the nats adapter while its wire is held back, reset, half closed or refused in the middle of
// it.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/nats/nats_broker.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/cut_wire.h"
#include "tests/support/nats_server.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

constexpr std::chrono::seconds kPatience(30);
constexpr Milliseconds kUnderWay(30);  // a verb's first words are at the server

NatsOptions OptionsTo(int port) {
  NatsOptions options;
  options.servers = {fmt::format("127.0.0.1:{}", port)};
  return options;
}

// A client whose wire can be cut, and what it has done and been told.
class Bench {
 public:
  Bench(Loop& loop, int port)
      : tasks(loop.executor()),
        changed(loop.executor()),
        wire(loop.executor(), port),
        near(MakeNatsBroker(loop.executor(), OptionsTo(port))),
        far(MakeNatsBroker(loop.executor(), OptionsTo(wire.port()))) {}

  Awaitable<void> Stop() {
    tasks.Cancel();
    co_await tasks.Join();
    co_await far->Stop();
    co_await near->Stop();
    co_await wire.Stop();
  }

  TaskGroup tasks;
  test::Signal changed;
  test::CutWire wire;
  const std::unique_ptr<Broker> near;
  const std::unique_ptr<Broker> far;
  std::set<std::string> kept;     // what was sent, and acknowledged
  std::vector<Receipt> receipts;  // of what `far` holds
  int number = 0;
};

Awaitable<absl::StatusOr<Reply>> Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.body = query.message.body;
  co_return reply;
}

Awaitable<absl::Status> DoRequest(Bench& bench) {
  Query query(Kind::kQuery, Message("ch", "hello"), Now() + kPatience);
  co_return (co_await bench.far->Request(std::move(query))).status();
}

Awaitable<absl::Status> SendBy(Broker& broker, std::string queue, std::string body) {
  std::vector<Outgoing> messages(1);
  messages[0].message.body = std::move(body);
  const auto sent = co_await broker.Send(std::move(queue), std::move(messages));
  co_return sent.ok() ? sent->front().status : sent.status();
}

Awaitable<absl::Status> DoSend(Bench& bench) {
  std::string body = fmt::format("job {}", ++bench.number);
  const absl::Status sent = co_await SendBy(*bench.far, "sent", body);
  if (sent.ok()) bench.kept.insert(std::move(body));
  co_return sent;
}

Awaitable<absl::Status> DoReceive(Bench& bench) {
  ReceiveOptions options;
  options.wait = Milliseconds(200);
  co_return (co_await bench.far->Receive("empty", options)).status();
}

Awaitable<absl::Status> DoSettle(Bench& bench) {
  co_return co_await bench.far->Settle(bench.receipts, Settlement());
}

Awaitable<absl::Status> DoInfo(Bench& bench) { co_return (co_await bench.far->Info("sent")).status(); }

Awaitable<absl::Status> DoServe(Bench& bench) {
  co_return (co_await bench.far->Serve(ServeOptions(Kind::kQuery, "other", "", 8), Echo)).status();
}

Awaitable<absl::Status> DoSubscribe(Bench& bench) {
  co_return (co_await bench.far->Subscribe("other", "", [](const Message&) {})).status();
}

struct Verb {
  const char* name;
  Awaitable<absl::Status> (*run)(Bench& bench);
};
constexpr std::array kVerbs = {
    Verb{"info", DoInfo}, Verb{"receive", DoReceive}, Verb{"request", DoRequest},
    Verb{"send", DoSend}, Verb{"serve", DoServe},     Verb{"subscribe", DoSubscribe},
};

Awaitable<void> RunInto(Bench& bench, Verb verb, std::shared_ptr<std::optional<absl::Status>> into) {
  *into = co_await verb.run(bench);
  bench.changed.Notify();
}

// Runs the verb until it works; false: it never did.
Awaitable<bool> WorksAgain(Bench& bench, Verb verb) {
  for (const TimePoint until = Now() + kPatience; Now() < until;) {
    if ((co_await verb.run(bench)).ok()) co_return true;
    (void)co_await Sleep(Now() + Milliseconds(20));
  }
  co_return false;
}

void OnBench(const std::function<Awaitable<void>(Bench&)>& body) {
  if (!test::NatsServer::IsHere()) return;
  const test::NatsServer server;
  test::Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop, server.port());
    std::exception_ptr failure;
    try {
      co_await body(bench);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await bench.Stop();
    if (failure) std::rethrow_exception(failure);
  });
}

// What becomes of a verb when `cut` happens while what the server says to it is held back.
Awaitable<absl::Status> UnderCut(Bench& bench, Verb verb, void (*cut)(test::CutWire& wire)) {
  bench.wire.HoldAnswers(true);
  const auto result = std::make_shared<std::optional<absl::Status>>();
  bench.tasks.Spawn(RunInto(bench, verb, result));
  (void)co_await Sleep(Now() + kUnderWay);
  cut(bench.wire);
  bench.wire.HoldAnswers(false);
  if (!co_await bench.changed.Until([&] { return result->has_value(); })) FAIL(verb.name << " never ends");
  bench.wire.Refuse(false);
  co_return **result;
}

Awaitable<void> EachVerb(Bench& bench, void (*cut)(test::CutWire& wire), bool is_cut) {
  const auto served = co_await bench.near->Serve(ServeOptions(Kind::kQuery, "ch", "workers", 8), Echo);
  REQUIRE(served.ok());
  for (const Verb& verb : kVerbs) {
    INFO(verb.name);
    REQUIRE(co_await WorksAgain(bench, verb));
    const absl::Status status = co_await UnderCut(bench, verb, cut);
    INFO(status.ToString());
    CHECK((status.ok() || (is_cut && FaultOf(status) == Fault::kEngineUnavailable)));
    CHECK(co_await WorksAgain(bench, verb));
  }
  // All that was acknowledged is there, and nothing twice.
  ReceiveOptions options;
  options.max = 100;
  const auto got = co_await bench.near->Receive("sent", options);
  REQUIRE(got.ok());
  std::set<std::string> bodies;
  for (const Delivery& delivery : *got) CHECK(bodies.insert(delivery.message.body).second);
  for (const std::string& body : bench.kept) CHECK(bodies.contains(body));
}

TEST_CASE("an answer that is held back is only late, whatever the verb") {
  OnBench([](Bench& bench) { return EachVerb(bench, [](test::CutWire&) {}, false); });
}

TEST_CASE("a reset in the middle of a verb fails it at once, or not at all, and the next one works") {
  OnBench([](Bench& bench) { return EachVerb(bench, [](test::CutWire& wire) { wire.Reset(); }, true); });
}

TEST_CASE("a server that says no more in the middle of a verb is left, and the next one works") {
  OnBench([](Bench& bench) { return EachVerb(bench, [](test::CutWire& wire) { wire.HalfClose(); }, true); });
}

TEST_CASE("a server that can't be reached again in the middle of a verb fails it, and works once it can") {
  OnBench([](Bench& bench) {
    return EachVerb(
        bench,
        [](test::CutWire& wire) {
          wire.Refuse(true);
          wire.Reset();
        },
        true);
  });
}

TEST_CASE("a settlement that is cut off has taken effect, or the message can be settled still") {
  OnBench([](Bench& bench) -> Awaitable<void> {
    for (auto* const cut : {+[](test::CutWire&) {}, +[](test::CutWire& wire) { wire.Reset(); },
                            +[](test::CutWire& wire) { wire.HalfClose(); }}) {
      REQUIRE((co_await SendBy(*bench.near, "held", "job")).ok());
      ReceiveOptions options;
      options.wait = kPatience;
      auto got = co_await bench.far->Receive("held", options);
      for (const TimePoint until = Now() + kPatience; !got.ok() && Now() < until;)
        got = co_await bench.far->Receive("held", options);
      REQUIRE(got.ok());
      REQUIRE(got->size() == 1);
      bench.receipts = {got->front().receipt};
      const absl::Status status = co_await UnderCut(bench, Verb{"settle", DoSettle}, cut);
      INFO(status.ToString());
      if (!status.ok()) {
        CHECK(FaultOf(status) == Fault::kEngineUnavailable);
        CHECK(co_await WorksAgain(bench, Verb{"settle", DoSettle}));
      }
      const auto info = co_await bench.near->Info("held");
      REQUIRE(info.ok());
      CHECK(info->waiting == 0);
    }
  });
}

}  // namespace
}  // namespace llm_router
