// The kubemq adapter when the wire is cut: a door that is not there, goes away, and comes back.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_grpc.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

constexpr std::chrono::seconds kPatience(30);

// A door over an embedded broker, to be stopped and started again on the same port.
class Server {
 public:
  explicit Server(Loop& loop) : loop_(loop) { Start(0); }

  Awaitable<void> Stop() {
    co_await server_->Stop(Milliseconds(0));
    co_await door_->Stop();
    co_await engine_->Stop();
  }
  Awaitable<void> Restart() {
    const int port = door_->port();
    door_.reset();
    server_.reset();
    engine_.reset();
    Start(port);
    co_return;
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", door_->port()); }
  Broker& engine() { return *engine_; }

 private:
  void Start(int port) {
    engine_ = MakeEmbeddedBroker(loop_.executor(), EmbeddedOptions());
    KubemqDoorOptions options;
    options.port = port;
    server_ = KubemqServer::Start(loop_, *engine_);
    auto door = KubemqDoor::Start(server_, options);
    if (!door.ok()) FAIL(door.status().ToString());
    door_ = *std::move(door);
  }

  Loop& loop_;
  std::unique_ptr<Broker> engine_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
};

std::unique_ptr<Broker> Connect(Loop& loop, const std::string& address) {
  KubemqOptions options;
  options.address = address;
  return MakeKubemqBroker(loop.executor(), options);
}

Awaitable<absl::StatusOr<Reply>> Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.body = query.message.body;
  co_return reply;
}

Query Ask(const std::string& channel) {
  return Query(Kind::kQuery, Message(channel, "hello"), Now() + kPatience);
}

TEST_CASE("a server that is not there: an error that names the address and the setting") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto broker = Connect(loop, "127.0.0.1:1");
    const auto reply = co_await broker->Request(Ask("q"));
    CHECK(FaultOf(reply.status()) == Fault::kEngineUnavailable);
    CHECK_THAT(std::string(MessageOf(reply.status())),
               Catch::Contains("127.0.0.1:1") && Catch::Contains("`broker`"));
    co_await broker->Stop();
  });
}

TEST_CASE("a subscription the server refuses fails with its words") {
  Run([](Loop& loop) -> Awaitable<void> {
    Server server(loop);
    const auto broker = Connect(loop, server.address());
    for (const char* pattern : {"two words", "a..b", "ends."}) {
      auto served = co_await broker->Serve(ServeOptions(Kind::kQuery, pattern, "g", 1), Echo);
      CHECK(FaultOf(served.status()) == Fault::kInvalidRequest);
    }
    auto listened = co_await broker->Subscribe("two words", "", [](const Message&) {});
    CHECK_THAT(std::string(MessageOf(listened.status())), Catch::Contains("Error 108"));
    co_await broker->Stop();
    co_await server.Stop();
  });
}

TEST_CASE("a server that restarts gets its subscriptions back, and events flow again") {
  Run([](Loop& loop) -> Awaitable<void> {
    Server server(loop);
    const auto broker = Connect(loop, server.address());
    std::vector<std::string> heard;
    auto served = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "workers", 4), Echo);
    auto listened =
        co_await broker->Subscribe("e", "", [&](const Message& event) { heard.push_back(event.body); });
    REQUIRE(served.ok());
    REQUIRE(listened.ok());
    CHECK((co_await server.engine().Request(Ask("q"))).ok());
    for (int round = 0; round < 2; ++round) {
      co_await server.Stop();
      co_await server.Restart();
      // Held by the embedded broker until the worker is back.
      const auto reply = co_await server.engine().Request(Ask("q"));
      CHECK(reply.ok());
      heard.clear();
      while (heard.empty()) {
        CHECK(broker->Publish(Message("e", "again")).ok());
        REQUIRE(co_await Sleep(Now() + Milliseconds(20)));
      }
      CHECK(heard.front() == "again");
    }
    co_await (*served)->Drain();
    served = absl::CancelledError();
    listened = absl::CancelledError();
    co_await broker->Stop();
    co_await server.Stop();
  });
}

TEST_CASE("a subscription begun before its server is there begins when it is") {
  Run([](Loop& loop) -> Awaitable<void> {
    Server server(loop);
    co_await server.Stop();
    const auto broker = Connect(loop, server.address());
    auto served = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "workers", 4), Echo);
    REQUIRE(served.ok());
    CHECK(broker->Publish(Message("e", "waits for the server")).ok());
    co_await server.Restart();
    CHECK((co_await server.engine().Request(Ask("q"))).ok());
    CHECK(broker->caps().dispatch == Dispatch::kLeastOutstanding);
    served = absl::CancelledError();
    co_await broker->Stop();
    co_await server.Stop();
  });
}

TEST_CASE("handlers are cancelled when the server is gone, for their callers are") {
  Run([](Loop& loop) -> Awaitable<void> {
    Server server(loop);
    const auto broker = Connect(loop, server.address());
    OneShot<bool> started(loop.executor()), cancelled(loop.executor());
    auto served = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "workers", 4),
                                         [&](Query) -> Awaitable<absl::StatusOr<Reply>> {
                                           started.Set(true);
                                           (void)co_await Sleep(Now() + std::chrono::hours(1));
                                           cancelled.Set(co_await Cancelled());
                                           co_return Reply();
                                         });
    REQUIRE(served.ok());
    TaskGroup tasks(loop.executor());
    tasks.Spawn(
        [](Broker& engine) -> Awaitable<void> { (void)co_await engine.Request(Ask("q")); }(server.engine()));
    REQUIRE(co_await started.Wait(Now() + kPatience));
    co_await server.Stop();
    CHECK(co_await cancelled.Wait(Now() + kPatience) == true);
    co_await tasks.Join();
    served = absl::CancelledError();
    co_await broker->Stop();
  });
}

TEST_CASE("Stop with no server, a subscription and waiting events returns soon") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto broker = Connect(loop, "127.0.0.1:1");
    auto served = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "workers", 4), Echo);
    REQUIRE(served.ok());
    CHECK(broker->Publish(Message("e", "never sent")).ok());
    co_await broker->Stop();
    CHECK(FaultOf(broker->Publish(Message("e", "x"))) == Fault::kShuttingDown);
    CHECK(FaultOf((co_await broker->Request(Ask("q"))).status()) == Fault::kShuttingDown);
    CHECK(FaultOf((co_await broker->Serve(ServeOptions(), Echo)).status()) == Fault::kShuttingDown);
  });
}

TEST_CASE("the last events before Stop still go out") {
  Run([](Loop& loop) -> Awaitable<void> {
    Server server(loop);
    OneShot<bool> left(loop.executor());
    auto heard = co_await server.engine().Subscribe("e", "", [&](const Message& event) {
      if (event.body == "leaving") left.Set(true);
    });
    REQUIRE(heard.ok());
    const auto broker = Connect(loop, server.address());
    for (int i = 0; i < 100; ++i) CHECK(broker->Publish(Message("e", "beat")).ok());
    CHECK(broker->Publish(Message("e", "leaving")).ok());
    co_await broker->Stop();
    CHECK(co_await left.Wait(Now() + kPatience) == true);
    heard = absl::CancelledError();
    co_await server.Stop();
  });
}

TEST_CASE("too many events for a server that is not there are refused, not piled up") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto broker = Connect(loop, "127.0.0.1:1");
    int taken = 0;
    absl::Status status;
    for (; status.ok() && taken <= 20'000; ++taken) status = broker->Publish(Message("e", "x"));
    CHECK(FaultOf(status) == Fault::kOverloaded);
    CHECK(taken == 10'001);
    co_await broker->Stop();
  });
}

}  // namespace
}  // namespace llm_router
