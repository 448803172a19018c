// What Info says of a queue beside what the NATS server's own monitoring says of it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "broker_adapters/nats/nats_broker.h"
#include "tests/support/catch.h"
#include "tests/support/http_exchange.h"
#include "tests/support/nats_server.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

// What the server has in the stream of queue `q`.
struct Figures {
  Figures() = default;

  uint64_t messages = 0;
  uint64_t waiting = 0;  // for the receivers, what they hold included
  uint64_t leased = 0;   // by them
  uint64_t delayed = 0;
};

Figures FiguresOf(const test::NatsServer& server) {
  const auto answer =
      test::HttpExchange(server.monitoring_port(),
                         test::HttpRequestText("GET", "/jsz?accounts=1&streams=1&consumers=1", "", ""));
  const nlohmann::json all = answer.json();
  Figures figures;
  for (const auto& stream : all.at("account_details").at(0).at("stream_detail")) {
    if (stream.at("name") != "llm-router-queue-q") continue;
    figures.messages = stream.at("state").at("messages");
    for (const auto& consumer : stream.at("consumer_detail")) {
      const uint64_t held = consumer.at("num_ack_pending");
      const uint64_t there = consumer.at("num_pending").get<uint64_t>() + held;
      (consumer.at("name") == "work" ? figures.waiting : figures.delayed) = there;
      if (consumer.at("name") == "work") figures.leased = held;
    }
  }
  return figures;
}

Awaitable<void> SendSome(Broker& broker, size_t count, Milliseconds delay) {
  std::vector<Outgoing> messages(count);
  for (Outgoing& outgoing : messages) {
    outgoing.message.body = "job";
    outgoing.delay = delay;
  }
  const auto sent = co_await broker.Send("q", std::move(messages));
  if (!sent.ok()) FAIL(sent.status().ToString());
  for (const SendResult& result : *sent) CHECK(result.status.ok());
}

Awaitable<std::vector<Receipt>> TakeSome(Broker& broker, size_t count) {
  ReceiveOptions options;
  options.max = count;
  options.wait = std::chrono::seconds(20);
  const auto got = co_await broker.Receive("q", options);
  if (!got.ok()) FAIL(got.status().ToString());
  std::vector<Receipt> receipts;
  for (const Delivery& delivery : *got) receipts.push_back(delivery.receipt);
  co_return receipts;
}

Awaitable<void> SettleSome(Broker& broker, std::vector<Receipt> receipts, Settlement::Verdict verdict) {
  Settlement settlement;
  settlement.verdict = verdict;
  const auto settled = co_await broker.Settle(std::move(receipts), settlement);
  if (!settled.ok()) FAIL(settled.ToString());
}

Awaitable<void> CheckSame(Broker& broker, const test::NatsServer& server, const Figures& expected) {
  const auto info = co_await broker.Info("q");
  if (!info.ok()) FAIL(info.status().ToString());
  const Figures figures = FiguresOf(server);
  CHECK(figures.messages == expected.messages);
  CHECK(figures.waiting == expected.waiting);
  CHECK(figures.leased == expected.leased);
  CHECK(figures.delayed == expected.delayed);
  CHECK(info->waiting == figures.waiting);
  CHECK(info->delayed == figures.delayed);
  // Nacked messages are among those that the server counts as held, though nobody has them.
  CHECK_FALSE(info->leased.has_value());
  CHECK(info->oldest_age.has_value() == (figures.messages > 0));
}

Figures Expect(uint64_t waiting, uint64_t leased, uint64_t delayed) {
  Figures figures;
  figures.messages = waiting + delayed;
  figures.waiting = waiting;
  figures.leased = leased;
  figures.delayed = delayed;
  return figures;
}

TEST_CASE("what Info says of a queue is what the server's own monitoring says of it") {
  if (!test::NatsServer::IsHere()) return;
  const test::NatsServer server("http: \"127.0.0.1:-1\"");
  test::Run([&](Loop& loop) -> Awaitable<void> {
    NatsOptions options;
    options.servers = {server.address()};
    const auto broker = MakeNatsBroker(loop.executor(), options);
    co_await SendSome(*broker, 20, Milliseconds(0));
    co_await SendSome(*broker, 5, std::chrono::hours(1));
    co_await CheckSame(*broker, server, Expect(20, 0, 5));
    auto acked = co_await TakeSome(*broker, 3);
    auto nacked = co_await TakeSome(*broker, 2);
    auto held = co_await TakeSome(*broker, 4);
    co_await CheckSame(*broker, server, Expect(20, 9, 5));
    co_await SettleSome(*broker, std::move(acked), Settlement::Verdict::kAck);
    co_await SettleSome(*broker, std::move(nacked), Settlement::Verdict::kNack);
    co_await CheckSame(*broker, server, Expect(17, 6, 5));
    co_await SettleSome(*broker, std::move(held), Settlement::Verdict::kAck);
    for (size_t left = 13; left > 0;) {
      auto some = co_await TakeSome(*broker, left);
      REQUIRE_FALSE(some.empty());
      left -= some.size();
      co_await SettleSome(*broker, std::move(some), Settlement::Verdict::kAck);
    }
    co_await CheckSame(*broker, server, Expect(0, 0, 5));
    co_await broker->Stop();
  });
}

}  // namespace
}  // namespace llm_router
