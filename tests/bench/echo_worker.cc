// A worker that answers every query on one channel with its own body: the cost of the way, without a
// provider.
//
//   bench_echo_worker URL CHANNEL      URL as in the setting `broker`
#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/registry.h"
#include "tests/bench/echo.h"

namespace llm_router {
namespace {

Awaitable<void> Work(Loop& loop, Broker& broker, std::string channel) {
  auto subscription =
      co_await broker.Serve(ServeOptions(Kind::kQuery, std::move(channel), "workers", 4096), Echo);
  if (!subscription.ok()) {
    std::fprintf(stderr, "bench_echo_worker: %s\n", subscription.status().ToString().c_str());
    std::exit(1);
  }
  std::printf("worker ready\n");
  std::fflush(stdout);
  boost::asio::basic_signal_set<Executor> signals(loop.executor(), SIGTERM);
  (void)co_await signals.async_wait(kUseTuple);
  co_await (*subscription)->Drain();
  subscription->reset();
  co_await broker.Stop();
}

int Main(const std::string& url, const std::string& channel) {
  Loop loop;
  BrokerOptions options;
  options.url = url;
  options.client_id = "bench-worker";
  auto broker = OpenBroker(loop.executor(), options);
  if (!broker.ok()) {
    std::fprintf(stderr, "bench_echo_worker: %s\n", broker.status().ToString().c_str());
    return 1;
  }
  loop.RunUntilDone([&] { return Work(loop, **broker, channel); });
  return 0;
}

}  // namespace
}  // namespace llm_router

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_echo_worker URL CHANNEL\n");
    return 2;
  }
  return llm_router::Main(argv[1], argv[2]);
}
