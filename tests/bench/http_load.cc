// A closed loop of chats over HTTP against one address: N at a time on N connections, for a while after a
// warm-up. Prints one JSON line.
//
//   bench_http_load ADDRESS whole|stream|hold MODEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES]
//
// whole: replies in one piece. stream: event streams to their end; also the time to the first word and the
// gaps between reads that brought frames. hold: opens N streams, waits until each has its first word, prints
// {"held": N}, and lets go of them when its standard input ends.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/text.h"
#include "tests/bench/http_reply.h"
#include "tests/bench/percentile.h"

namespace llm_router::bench {
namespace {

using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;

struct Plan {
  std::string address, mode, model;
  int in_flight = 1;
  double warmup = 0, seconds = 1;
  size_t body = 100;  // bytes of the prompt
};

// What all connections share.
struct Totals {
  std::vector<double> micros;        // of whole replies and streams
  std::vector<double> first_micros;  // to the first word
  std::vector<double> gap_micros;
  double frames = 0;
  int held = 0;
  long failed = 0;
  std::string first_failure;
};

double Micros(TimePoint from, TimePoint to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

std::string RequestOf(const Plan& plan) {
  const std::string body =
      fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"{}"}}]{}}})", plan.model,
                  std::string(plan.body, 'x'), plan.mode == "whole" ? "" : R"(,"stream":true)");
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer bench\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n\r\n{}",
      plan.address, body.size(), body);
}

Awaitable<bool> ReadSome(Socket& socket, HttpReplyReader& reader) {
  std::array<char, 16 * 1024> bytes;  // the connection's own: several may have read before one looks
  const auto [error, count] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
  reader.Take({bytes.data(), count});
  co_return !error;
}

// One reply; what is wrong with it, or "".
Awaitable<std::string> ReadReply(Socket& socket, TimePoint asked, bool counts, Totals& totals, bool hold) {
  HttpReplyReader reader;
  TimePoint last = asked;
  bool began = false;
  while (!reader.IsWhole()) {
    const size_t frames = reader.frames();
    if (!co_await ReadSome(socket, reader)) co_return "the connection broke";
    if (reader.status() != 0 && reader.status() != 200) co_return fmt::format("status {}", reader.status());
    const TimePoint now = Now();
    if (!began && reader.has_word()) {
      began = true;
      if (counts) totals.first_micros.push_back(Micros(asked, now));
      if (hold) co_return "";
    } else if (began && counts && reader.frames() > frames) {
      totals.gap_micros.push_back(Micros(last, now));
    }
    if (reader.frames() > frames) last = now;
  }
  if (reader.is_broken()) co_return "not the reply that was asked for";
  if (counts) totals.frames += static_cast<double>(reader.frames());
  co_return "";
}

Awaitable<bool> Connect(Socket& socket, const Plan& plan) {
  const auto port = ParseNumber<uint16_t>(plan.address.substr(plan.address.rfind(':') + 1)).value_or(0);
  const auto [error] =
      co_await socket.async_connect({boost::asio::ip::address_v4::loopback(), port}, kUseTuple);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  co_return !error;
}

void Fail(Totals& totals, std::string why) {
  if (totals.failed++ == 0) totals.first_failure = std::move(why);
}

Awaitable<void> Ask(const Plan& plan, Totals& totals, TimePoint begin, TimePoint end) {
  Socket socket(co_await boost::asio::this_coro::executor);
  if (!co_await Connect(socket, plan)) co_return Fail(totals, "no connection");
  const std::string request = RequestOf(plan);
  while (true) {
    const TimePoint asked = Now();
    (void)co_await boost::asio::async_write(socket, boost::asio::buffer(request), kUseTuple);
    const bool counts = asked >= begin;
    const std::string wrong = co_await ReadReply(socket, asked, counts, totals, false);
    if (!wrong.empty()) co_return Fail(totals, wrong);
    const TimePoint now = Now();
    if (counts && now <= end) totals.micros.push_back(Micros(asked, now));
    if (now >= end) co_return;
  }
}

Awaitable<void> Hold(const Plan& plan, Totals& totals, Socket& socket) {
  if (!co_await Connect(socket, plan)) co_return Fail(totals, "no connection");
  const std::string request = RequestOf(plan);
  (void)co_await boost::asio::async_write(socket, boost::asio::buffer(request), kUseTuple);
  const std::string wrong = co_await ReadReply(socket, Now(), false, totals, true);
  wrong.empty() ? void(++totals.held) : Fail(totals, wrong);
}

Awaitable<void> HoldAll(Loop& loop, const Plan& plan, Totals& totals) {
  constexpr int kAtOnce = 100;  // a door's backlog of connections is short
  std::vector<Socket> sockets;
  sockets.reserve(static_cast<size_t>(plan.in_flight));
  for (int begun = 0; begun < plan.in_flight;) {
    TaskGroup group(loop.executor());
    for (int i = 0; i < kAtOnce && begun < plan.in_flight; ++i, ++begun) {
      sockets.emplace_back(loop.executor());
      group.Spawn(Hold(plan, totals, sockets.back()));
    }
    co_await group.Join();
  }
  fmt::print("{{\"held\": {}, \"failed\": {}}}\n", totals.held, totals.failed);
  std::fflush(stdout);
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) continue;
}

Awaitable<void> Run(Loop& loop, const Plan& plan, Totals& totals) {
  if (plan.mode == "hold") co_return co_await HoldAll(loop, plan, totals);
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(count));
  };
  const TimePoint begin = Now() + seconds(plan.warmup);
  TaskGroup callers(loop.executor());
  for (int i = 0; i < plan.in_flight; ++i)
    callers.Spawn(Ask(plan, totals, begin, begin + seconds(plan.seconds)));
  co_await callers.Join();
}

void Print(const Plan& plan, Totals& totals) {
  if (plan.mode == "hold") return;
  const auto count = static_cast<double>(totals.micros.size());
  fmt::print(
      "{{\"count\": {}, \"per_second\": {:.1f}, \"p50_us\": {:.1f}, \"p99_us\": {:.1f}, \"first_p50_us\": "
      "{:.1f}, \"first_p99_us\": {:.1f}, \"gap_p99_us\": {:.1f}, \"frames\": {:.0f}, \"failed\": {}}}\n",
      totals.micros.size(), count / plan.seconds, Percentile(totals.micros, 0.5),
      Percentile(totals.micros, 0.99), Percentile(totals.first_micros, 0.5),
      Percentile(totals.first_micros, 0.99), Percentile(totals.gap_micros, 0.99), totals.frames,
      totals.failed);
}

Plan PlanOf(int argc, char** argv) {
  if (argc < 7) {
    std::fputs(
        "usage: bench_http_load ADDRESS whole|stream|hold MODEL IN_FLIGHT WARMUP_SECONDS SECONDS "
        "[BODY_BYTES]\n",
        stderr);
    std::exit(2);
  }
  Plan plan;
  plan.address = argv[1];
  plan.mode = argv[2];
  plan.model = argv[3];
  plan.in_flight = std::atoi(argv[4]);
  plan.warmup = std::atof(argv[5]);
  plan.seconds = std::atof(argv[6]);
  if (argc > 7) plan.body = static_cast<size_t>(std::atol(argv[7]));
  return plan;
}

void RaiseDescriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace llm_router::bench

int main(int argc, char** argv) {
  using namespace llm_router;
  const bench::Plan plan = bench::PlanOf(argc, argv);
  bench::RaiseDescriptors();
  bench::Totals totals;
  Loop loop;
  loop.RunUntilDone([&] { return bench::Run(loop, plan, totals); });
  bench::Print(plan, totals);
  if (totals.failed > 0) std::fprintf(stderr, "bench: %s\n", totals.first_failure.c_str());
  return totals.failed == 0 ? 0 : 1;
}
