// Any engine by our adapter, beside its own native client in the same run: queries and their replies, and
// messages into a queue and out of it. A JSON line a figure.
//
//   bench_engines URL SECONDS ECHO      URL as in the setting `broker`; ECHO: where a bench_echo_server is
//
// Ends with 3 where this build is without the engine.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/registry.h"
#include "tests/bench/echo.h"
#include "tests/bench/engine_way.h"
#include "tests/bench/percentile.h"
#include "tests/bench/window.h"

namespace llm_router::bench {
namespace {

constexpr const char* kEcho = "bench.echo";
constexpr const char* kQueue = "bench.queue";
constexpr std::chrono::seconds kPatience(30);
constexpr int kNotInThisBuild = 3;

// By the port, on a loop of its own.
class Ours final : public EngineWay {
 public:
  explicit Ours(const std::string& url) {
    loop_.Start();
    loop_.RunTask([&] { return Open(url); });
  }
  ~Ours() override {
    loop_.RunTask([this] { return Close(); });
  }

  std::vector<double> Requests(const Plan& plan) override { return Measure(plan, &Ours::Ask); }
  std::vector<double> Queue(const Plan& plan) override { return Measure(plan, &Ours::SendReceiveAck); }

  // Of a foreign engine it is known once there is a connection.
  std::string_view durability() const { return NameOf(broker_->caps().durability); }

 private:
  using Once = Awaitable<void> (Ours::*)(const Plan&);

  Awaitable<void> Open(const std::string& url) {
    BrokerOptions options;
    options.url = url;
    options.client_id = "bench";
    auto broker = OpenBroker(loop_.executor(), options);
    if (!broker.ok()) Fail("open the broker", broker.status().ToString());
    broker_ = *std::move(broker);
    auto subscription = co_await broker_->Serve(ServeOptions(Kind::kQuery, kEcho, "workers", 4096), Echo);
    if (!subscription.ok()) Fail("Serve", subscription.status().ToString());
    responder_ = *std::move(subscription);
  }

  Awaitable<void> Close() {
    co_await responder_->Drain();
    responder_.reset();
    co_await broker_->Stop();
    broker_.reset();
  }

  std::vector<double> Measure(const Plan& plan, Once once) {
    std::vector<double> micros;
    loop_.RunTask([&] { return Loops(plan, once, micros); });
    return micros;
  }

  Awaitable<void> Loops(const Plan& plan, Once once, std::vector<double>& micros) {
    const Window window(plan);
    TaskGroup tasks(loop_.executor());
    for (int i = 0; i < plan.in_flight; ++i) tasks.Spawn(OneLoop(plan, window, once, micros));
    co_await tasks.Join();
  }

  Awaitable<void> OneLoop(const Plan& plan, const Window& window, Once once, std::vector<double>& micros) {
    while (window.is_open()) {
      const TimePoint start = Now();
      co_await (this->*once)(plan);
      window.Count(start, micros);
    }
  }

  Awaitable<void> Ask(const Plan& plan) {
    Query query(Kind::kQuery, Message(kEcho, std::string(plan.body, 'x')), Now() + kPatience);
    const auto reply = co_await broker_->Request(std::move(query));
    if (!reply.ok()) Fail("Request", reply.status().ToString());
    if (reply->message.body.size() != plan.body) Fail("Request", "no echo");
  }

  Awaitable<void> SendReceiveAck(const Plan& plan) {
    std::vector<Outgoing> messages(1);
    messages[0].message.body.assign(plan.body, 'x');
    const auto sent = co_await broker_->Send(kQueue, std::move(messages));
    if (!sent.ok()) Fail("Send", sent.status().ToString());
    if (!sent->front().status.ok()) Fail("Send", sent->front().status.ToString());
    ReceiveOptions options;
    options.wait = kPatience;
    auto taken = co_await broker_->Receive(kQueue, options);
    if (!taken.ok()) Fail("Receive", taken.status().ToString());
    if (taken->size() != 1) Fail("Receive", "no message came");
    std::vector<Receipt> receipts(1);
    receipts[0] = std::move(taken->front().receipt);
    const absl::Status settled = co_await broker_->Settle(std::move(receipts), Settlement());
    if (!settled.ok()) Fail("Settle", settled.ToString());
  }

  Loop loop_;
  std::unique_ptr<Broker> broker_;
  SubscriptionPtr responder_;
};

std::unique_ptr<EngineWay> NativeOf(const std::string& url, const std::string& echo) {
  constexpr std::string_view kKubemq = "kubemq://";
  if (IsEmbedded(url)) return NativeEmbedded(echo, std::string(EmbeddedFolder(url)) + "-native");
  if (url.starts_with(kKubemq)) return NativeKubemq(url.substr(kKubemq.size()));
#ifdef LLM_ROUTER_NATS
  return NativeNats(url);
#else
  Fail("native client", "there is none of this engine");
#endif
}

void PrintFigure(const char* work, const char* way, std::string_view kept, const Plan& plan,
                 std::vector<double> micros) {
  const double p50 = Percentile(micros, 0.5);
  const double p99 = Percentile(micros, 0.99);
  std::printf(
      R"({"work": "%s", "way": "%s", "kept": "%s", "in_flight": %d, "per_second": %.0f, "p50_us": %.0f, "p99_us": %.0f})"
      "\n",
      work, way, std::string(kept).c_str(), plan.in_flight, static_cast<double>(micros.size()) / plan.seconds,
      p50, p99);
  std::fflush(stdout);
}

void Measure(const std::string& url, double seconds, const std::string& echo) {
  Ours ours(url);
  const auto native = NativeOf(url, echo);
  Plan plan;
  plan.warmup = 0.5;
  plan.seconds = seconds;
  plan.body = 1'024;
  for (const int in_flight : {1, 64}) {
    plan.in_flight = in_flight;
    PrintFigure("request", "adapter", "none", plan, ours.Requests(plan));
    PrintFigure("request", "native", "none", plan, native->Requests(plan));
    auto micros = ours.Queue(plan);
    PrintFigure("send, receive, ack", "adapter", ours.durability(), plan, std::move(micros));
    PrintFigure("send, receive, ack", "native", ours.durability(), plan, native->Queue(plan));
  }
}

}  // namespace
}  // namespace llm_router::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s URL SECONDS ECHO\n", argv[0]);
    return 2;
  }
  if (const absl::Status status = llm_router::CheckBrokerUrl(argv[1]); !status.ok()) {
    std::fprintf(stderr, "bench_engines: %s: %s\n", argv[1], status.ToString().c_str());
    return llm_router::bench::kNotInThisBuild;
  }
  llm_router::bench::Measure(argv[1], std::atof(argv[2]), argv[3]);
}
