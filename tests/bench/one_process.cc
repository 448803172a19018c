// The gRPC and REST doors, the embedded broker and a worker that echoes, in one process: the way without its
// second hop.
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "router/gateway/kubemq_grpc.h"
#include "router/gateway/kubemq_rest.h"
#include "tests/bench/echo.h"

namespace llm_router {
namespace {

// $BENCH_KEY among a thousand others; without it the server asks for none.
std::shared_ptr<Access> MakeKeys() {
  const char* key = std::getenv("BENCH_KEY");
  if (key == nullptr) return std::make_shared<Access>();
  std::vector<KeyConfig> keys(1'001);
  for (size_t i = 0; i < keys.size(); ++i) {
    keys[i].hash = Sha256Hex(i == 0 ? std::string(key) : std::to_string(i));
    keys[i].tenant = "bench";
  }
  return std::make_shared<Access>(keys);
}

Awaitable<void> Work(Loop& loop, int& code) {
  const auto broker = MakeEmbeddedBroker(loop.executor(), EmbeddedOptions());
  KubemqDoorOptions options;
  options.port = 0;
  KubemqServerOptions serving;
  serving.access = MakeKeys();
  const auto server = KubemqServer::Start(loop, *broker, serving);
  auto door = KubemqDoor::Start(server, options);
  KubemqRestOptions plain;
  plain.port = 0;
  auto rest = KubemqRest::Start(server, plain);
  auto subscription =
      co_await broker->Serve(ServeOptions(Kind::kQuery, "echo_requests", "workers", 4096), Echo);
  if (!door.ok() || !rest.ok() || !subscription.ok()) co_return;
  std::printf("one process ready grpc=127.0.0.1:%d rest=127.0.0.1:%d\n", (*door)->port(), (*rest)->port());
  std::fflush(stdout);
  boost::asio::basic_signal_set<Executor> signals(loop.executor(), SIGTERM);
  (void)co_await signals.async_wait(kUseTuple);
  co_await server->Stop(std::chrono::seconds(5));
  co_await (*door)->Stop();
  co_await (*rest)->Stop();
  subscription->reset();
  co_await broker->Stop();
  code = 0;
}

}  // namespace
}  // namespace llm_router

int main() {
  llm_router::Loop loop;
  int code = 1;
  loop.RunUntilDone([&] { return llm_router::Work(loop, code); });
  return code;
}
