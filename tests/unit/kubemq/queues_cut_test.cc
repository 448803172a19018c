// The queue verbs of the kubemq adapter when the wire is cut in the middle of each: nothing is lost, and what
// is called later succeeds by itself. At a server of ours, and at the same server as a foreign one.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_grpc.h"
#include "tests/support/catch.h"
#include "tests/support/cut_wire.h"
#include "tests/support/run.h"
#include "tests/support/temporary_folder.h"

namespace llm_router {
namespace {

constexpr std::chrono::seconds kPatience(30);
constexpr auto kAck = Settlement::Verdict::kAck;
constexpr auto kNack = Settlement::Verdict::kNack;
const std::string kQueue = "q";

// A door over an embedded broker with queues, a wire to it, and a client at the other end.
class Bench {
 public:
  Bench(Loop& loop, bool marked) : loop_(loop), marked_(marked), tasks(loop.executor()) {
    StartServer(0);
    wire_ = std::make_unique<test::CutWire>(loop.executor(), door_->port());
    KubemqOptions options;
    options.address = fmt::format("127.0.0.1:{}", wire_->port());
    client_ = MakeKubemqBroker(loop.executor(), options);
  }

  Broker& client() { return *client_; }
  Broker& engine() { return *engine_; }
  test::CutWire& wire() { return *wire_; }

  Awaitable<void> StopServer() {
    co_await server_->Stop(Milliseconds(0));
    co_await door_->Stop();
    co_await engine_->Stop();
    port_ = door_->port();
    door_.reset();
    server_.reset();
    engine_.reset();
  }
  void StartServerAgain() { StartServer(port_); }

  Awaitable<void> Stop() {
    tasks.Cancel();
    co_await tasks.Join();
    co_await client_->Stop();
    co_await wire_->Stop();
    co_await StopServer();
  }

  // Waits until the engine's queue looks like that.
  Awaitable<bool> Until(uint64_t waiting, uint64_t leased, uint64_t delayed = 0) {
    for (const TimePoint until = Now() + kPatience; Now() < until;) {
      const auto info = co_await engine_->Info(kQueue);
      if (info.ok() && info->waiting == waiting && info->leased == leased && info->delayed == delayed)
        co_return true;
      co_await boost::asio::post(loop_.executor(), kUseAwaitable);
    }
    co_return false;
  }

 private:
  Loop& loop_;
  const bool marked_;

 public:
  TaskGroup tasks;

 private:
  void StartServer(int port) {
    QueueOptions queues;
    queues.folder = folder_.path();
    auto engine = OpenEmbeddedBroker(loop_.executor(), EmbeddedOptions(), queues);
    if (!engine.ok()) FAIL(engine.status().ToString());
    engine_ = *std::move(engine);
    KubemqServerOptions serving;
    serving.announce = marked_;
    server_ = KubemqServer::Start(loop_, *engine_, serving);
    KubemqDoorOptions options;
    options.port = port;
    auto door = KubemqDoor::Start(server_, options);
    if (!door.ok()) FAIL(door.status().ToString());
    door_ = *std::move(door);
  }

  const test::TemporaryFolder folder_;
  std::unique_ptr<Broker> engine_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
  std::unique_ptr<test::CutWire> wire_;
  std::unique_ptr<Broker> client_;
  int port_ = 0;
};

void OnBoth(std::function<Awaitable<void>(Bench&)> body) {
  for (const bool marked : {true, false}) {
    INFO((marked ? "a server of ours" : "a foreign server"));
    test::Run([&](Loop& loop) -> Awaitable<void> {
      Bench bench(loop, marked);
      co_await body(bench);
      co_await bench.Stop();
    });
  }
}

std::vector<Outgoing> One(std::string body) {
  Outgoing outgoing;
  outgoing.message.body = std::move(body);
  return std::vector<Outgoing>{outgoing};
}

ReceiveOptions Up(Milliseconds wait) {
  ReceiveOptions options;
  options.wait = wait;
  return options;
}

Awaitable<absl::Status> Send(Broker& broker, std::string body) {
  const auto results = co_await broker.Send(kQueue, One(std::move(body)));
  if (!results.ok()) co_return results.status();
  co_return results->front().status;
}

// Again and again while the server can't be reached.
Awaitable<absl::Status> SendAtLast(Broker& broker, std::string body) {
  absl::Status status;
  for (const TimePoint until = Now() + kPatience; Now() < until;) {
    status = co_await Send(broker, body);
    if (status.ok() || !co_await Sleep(Now() + Milliseconds(20))) break;
  }
  co_return status;
}

Awaitable<std::vector<Delivery>> ReceiveAtLast(Broker& broker) {
  for (const TimePoint until = Now() + kPatience; Now() < until;) {
    auto got = co_await broker.Receive(kQueue, Up(kPatience));
    if (got.ok() && !got->empty()) co_return *std::move(got);
    if (!co_await Sleep(Now() + Milliseconds(20))) break;
  }
  co_return std::vector<Delivery>();
}

Awaitable<absl::Status> SettleOne(Broker& broker, Receipt receipt, Settlement::Verdict verdict,
                                  Milliseconds delay = Milliseconds(0)) {
  Settlement settlement;
  settlement.verdict = verdict;
  settlement.delay = delay;
  co_return co_await broker.Settle(std::vector<Receipt>{receipt}, settlement);
}

// Runs in the background; what comes of it stands in `outcome`.
using Outcome = std::shared_ptr<std::optional<absl::Status>>;

Awaitable<void> Keep(Awaitable<absl::Status> work, Outcome outcome) { *outcome = co_await std::move(work); }

Outcome Begin(Bench& bench, Awaitable<absl::Status> work) {
  auto outcome = std::make_shared<std::optional<absl::Status>>();
  bench.tasks.Spawn(Keep(std::move(work), outcome));
  return outcome;
}

Awaitable<absl::Status> End(Outcome outcome) {
  for (const TimePoint until = Now() + kPatience; !*outcome && Now() < until;)
    (void)co_await Sleep(Now() + Milliseconds(1));
  co_return outcome->value_or(absl::DeadlineExceededError("it never ended"));
}

Awaitable<absl::Status> ReceiveOnly(Broker& broker) {
  co_return (co_await broker.Receive(kQueue, Up(kPatience))).status();
}

TEST_CASE("a send whose answer is cut off says that it may be kept, and is kept once") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "first")).ok());
    bench.wire().HoldAnswers(true);
    const auto sending = Begin(bench, Send(bench.client(), "second"));
    REQUIRE(co_await bench.Until(2, 0));
    bench.wire().Reset();
    bench.wire().HoldAnswers(false);
    const absl::Status sent = co_await End(sending);
    CHECK(FaultOf(sent) == Fault::kEngineUnavailable);
    CHECK_THAT(std::string(MessageOf(sent)), Catch::Contains("not known whether the message was kept"));
    CHECK((co_await SendAtLast(bench.client(), "third")).ok());
    CHECK(co_await bench.Until(3, 0));
  });
}

TEST_CASE("a receive whose answer is cut off loses nothing: the message comes to the next one, not counted") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    // The first exchange is over before answers are held.
    CHECK((co_await bench.client().Info(kQueue)).ok());
    bench.wire().HoldAnswers(true);
    const auto receiving = Begin(bench, ReceiveOnly(bench.client()));
    CHECK((co_await Send(bench.engine(), "a")).ok());
    REQUIRE(co_await bench.Until(0, 1));
    bench.wire().Reset();
    bench.wire().HoldAnswers(false);
    CHECK(FaultOf(co_await End(receiving)) == Fault::kEngineUnavailable);
    REQUIRE(co_await bench.Until(1, 0));
    const auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.body == "a");
    CHECK(got[0].deliveries == 1);
    CHECK((co_await SettleOne(bench.client(), got[0].receipt, kAck)).ok());
    CHECK(co_await bench.Until(0, 0));
  });
}

TEST_CASE("a receipt does not outlive its connection: settling says so, and the message comes again") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "a")).ok());
    auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    bench.wire().Reset();
    REQUIRE(co_await bench.Until(1, 0));
    const absl::Status settled = co_await SettleOne(bench.client(), got[0].receipt, kAck);
    CHECK(FaultOf(settled) == Fault::kEngineUnavailable);
    CHECK_THAT(std::string(MessageOf(settled)), Catch::Contains("went back to its queue"));
    got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    CHECK(got[0].deliveries == 1);
    CHECK((co_await SettleOne(bench.client(), got[0].receipt, kAck)).ok());
    CHECK(co_await bench.Until(0, 0));
  });
}

TEST_CASE("an acknowledgement whose answer is cut off has taken effect") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "a")).ok());
    const auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    bench.wire().HoldAnswers(true);
    const auto settling = Begin(bench, SettleOne(bench.client(), got[0].receipt, kAck));
    REQUIRE(co_await bench.Until(0, 0));
    bench.wire().Reset();
    bench.wire().HoldAnswers(false);
    CHECK(FaultOf(co_await End(settling)) == Fault::kEngineUnavailable);
    CHECK((co_await SendAtLast(bench.client(), "b")).ok());
    const auto next = co_await ReceiveAtLast(bench.client());
    REQUIRE(next.size() == 1);
    CHECK(next[0].message.body == "b");
  });
}

TEST_CASE("a delayed nack whose answer is cut off keeps the message") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "a")).ok());
    auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    bench.wire().HoldAnswers(true);
    const auto settling =
        Begin(bench, SettleOne(bench.client(), got[0].receipt, kNack, std::chrono::seconds(1)));
    // A foreign server has the copy before the original is acknowledged.
    bool delayed = false;
    while (!delayed) {
      const auto info = co_await bench.engine().Info(kQueue);
      delayed = info.ok() && info->delayed == 1u;
      (void)co_await Sleep(Now() + Milliseconds(1));
    }
    bench.wire().Reset();
    bench.wire().HoldAnswers(false);
    CHECK(FaultOf(co_await End(settling)) == Fault::kEngineUnavailable);
    got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.body == "a");
  });
}

TEST_CASE("a server that refuses connections fails every queue verb, and none once it takes them again") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "a")).ok());
    bench.wire().Refuse(true);
    bench.wire().Reset();
    // The break may be noticed by the first of them only.
    while ((co_await bench.client().Info(kQueue)).ok()) {
    }
    CHECK(FaultOf(co_await Send(bench.client(), "b")) == Fault::kEngineUnavailable);
    CHECK(FaultOf(co_await ReceiveOnly(bench.client())) == Fault::kEngineUnavailable);
    CHECK(FaultOf((co_await bench.client().Info(kQueue)).status()) == Fault::kEngineUnavailable);
    QueueAdmin& admin = *bench.client().queue_admin();
    CHECK(FaultOf((co_await admin.Peek(kQueue, 1)).status()) == Fault::kEngineUnavailable);
    CHECK(FaultOf((co_await admin.Purge(kQueue)).status()) == Fault::kEngineUnavailable);
    CHECK(FaultOf((co_await admin.Queues()).status()) == Fault::kEngineUnavailable);
    bench.wire().Refuse(false);
    CHECK((co_await SendAtLast(bench.client(), "b")).ok());
    const auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    CHECK(got[0].message.body == "a");
    CHECK((co_await SettleOne(bench.client(), got[0].receipt, kAck)).ok());
  });
}

TEST_CASE("a server that restarts keeps what was sent and gives out again what was leased") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    for (const char* body : {"a", "b", "c"}) CHECK((co_await Send(bench.client(), body)).ok());
    auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    const auto waiting = Begin(bench, [](Broker& client) -> Awaitable<absl::Status> {
      co_return (co_await client.Receive("empty", Up(kPatience))).status();
    }(bench.client()));
    co_await bench.StopServer();
    CHECK_FALSE((co_await End(waiting)).ok());
    CHECK_FALSE((co_await SettleOne(bench.client(), got[0].receipt, kAck)).ok());
    CHECK_FALSE((co_await Send(bench.client(), "lost, and known to be")).ok());
    bench.StartServerAgain();
    CHECK((co_await SendAtLast(bench.client(), "d")).ok());
    for (const char* body : {"a", "b", "c", "d"}) {
      got = co_await ReceiveAtLast(bench.client());
      REQUIRE(got.size() == 1);
      CHECK(got[0].message.body == body);
      CHECK((co_await SettleOne(bench.client(), got[0].receipt, kAck)).ok());
    }
    CHECK(co_await bench.Until(0, 0));
  });
}

TEST_CASE("a message on its way to a receive that is cancelled goes back at once") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await bench.client().Info(kQueue)).ok());
    const auto outcome = std::make_shared<std::optional<absl::Status>>();
    TaskGroup gone(bench.tasks.executor());
    bench.wire().HoldAnswers(true);
    gone.Spawn(Keep(ReceiveOnly(bench.client()), outcome));
    CHECK((co_await Send(bench.engine(), "a")).ok());
    REQUIRE(co_await bench.Until(0, 1));
    gone.Cancel();
    co_await gone.Join();
    CHECK(FaultOf(outcome->value()) == Fault::kCancelled);
    bench.wire().HoldAnswers(false);
    CHECK(co_await bench.Until(1, 0));
    const auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    CHECK(got[0].deliveries == 1);
  });
}

TEST_CASE("what waits when the client stops hears shutting_down, and what it leased goes back") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    CHECK((co_await Send(bench.client(), "a")).ok());
    const auto got = co_await ReceiveAtLast(bench.client());
    REQUIRE(got.size() == 1);
    const auto receiving = Begin(bench, ReceiveOnly(bench.client()));
    (void)co_await bench.client().Info(kQueue);
    co_await bench.client().Stop();
    CHECK(FaultOf(co_await End(receiving)) == Fault::kShuttingDown);
    CHECK(FaultOf(co_await Send(bench.client(), "b")) == Fault::kShuttingDown);
    CHECK(FaultOf(co_await SettleOne(bench.client(), got[0].receipt, kAck)) == Fault::kShuttingDown);
    CHECK(co_await bench.Until(1, 0));
  });
}

TEST_CASE("many sends under way at once are each answered, and kept in their order") {
  OnBoth([](Bench& bench) -> Awaitable<void> {
    std::vector<Outcome> all;
    for (int i = 0; i < 500; ++i) all.push_back(Begin(bench, Send(bench.client(), std::to_string(i))));
    for (const Outcome& one : all) CHECK((co_await End(one)).ok());
    ReceiveOptions options;
    options.max = 500;
    const auto got = co_await bench.engine().Receive(kQueue, options);
    REQUIRE(got.ok());
    REQUIRE(got->size() == 500);
    for (int i = 0; i < 500; ++i) CHECK((*got)[static_cast<size_t>(i)].message.body == std::to_string(i));
  });
}

}  // namespace
}  // namespace llm_router
