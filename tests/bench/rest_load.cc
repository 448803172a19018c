// A closed loop of queries by POST /send/request against one address: N in flight on N connections for a
// while after a warm-up. Prints one JSON line.
//
//   bench_rest_load ADDRESS CHANNEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES]
#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/text.h"
#include "tests/bench/load_report.h"

namespace llm_router::bench {
namespace {

using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;

// What all connections share.
struct Totals {
  std::vector<double> micros;
  long failed = 0;
  std::string first_failure;
};

std::string RequestOf(const Plan& plan) {
  const std::string body = fmt::format(
      R"({{"RequestTypeData":2,"ClientID":"bench","Channel":"{}","Timeout":30000,"BodyString":"{}"}})",
      plan.channel, std::string(plan.body, 'x'));
  return fmt::format(
      "POST /send/request HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      plan.address, body.size(), body);
}

// One reply; nothing when the connection ended first.
Awaitable<std::optional<std::string>> ReadReply(Socket& socket, std::string& unread) {
  constexpr std::string_view kLength = "content-length: ";
  auto buffer = boost::asio::dynamic_buffer(unread);
  const auto [error, head] = co_await boost::asio::async_read_until(socket, buffer, "\r\n\r\n", kUseTuple);
  if (error) co_return std::nullopt;
  const size_t begin = unread.find(kLength) + kLength.size();
  const auto length = ParseNumber<size_t>(unread.substr(begin, unread.find('\r', begin) - begin));
  const size_t whole = head + length.value_or(0);
  while (unread.size() < whole) {
    const size_t had = unread.size();
    unread.resize(whole);
    const auto [cut, count] =
        co_await socket.async_read_some(boost::asio::buffer(unread.data() + had, whole - had), kUseTuple);
    unread.resize(had + count);
    if (cut) co_return std::nullopt;
  }
  std::string reply = unread.substr(0, whole);
  unread.erase(0, whole);
  co_return reply;
}

Awaitable<void> Ask(const Plan& plan, Totals& totals, TimePoint begin, TimePoint end) {
  Socket socket(co_await boost::asio::this_coro::executor);
  const auto port = ParseNumber<uint16_t>(plan.address.substr(plan.address.rfind(':') + 1)).value_or(0);
  (void)co_await socket.async_connect({boost::asio::ip::address_v4::loopback(), port}, kUseTuple);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const std::string request = RequestOf(plan);
  std::string unread;
  while (true) {
    const TimePoint asked = Now();
    const auto [error, count] =
        co_await boost::asio::async_write(socket, boost::asio::buffer(request), kUseTuple);
    const auto reply = error ? std::nullopt : co_await ReadReply(socket, unread);
    const TimePoint now = Now();
    if (!reply || reply->find("\"Executed\": true") == std::string::npos) {
      if (totals.failed++ == 0) totals.first_failure = reply.value_or("the connection broke");
      co_return;
    }
    if (asked >= begin && now <= end)
      totals.micros.push_back(std::chrono::duration<double, std::micro>(now - asked).count());
    if (now >= end) co_return;
  }
}

Awaitable<void> Run(Loop& loop, const Plan& plan, Totals& totals) {
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(count));
  };
  const TimePoint begin = Now() + seconds(plan.warmup);
  TaskGroup callers(loop.executor());
  for (int i = 0; i < plan.in_flight; ++i)
    callers.Spawn(Ask(plan, totals, begin, begin + seconds(plan.seconds)));
  co_await callers.Join();
}

}  // namespace
}  // namespace llm_router::bench

int main(int argc, char** argv) {
  using namespace llm_router;
  const bench::Plan plan = bench::PlanOf(argc, argv);
  bench::Totals totals;
  Loop loop;
  loop.RunUntilDone([&] { return bench::Run(loop, plan, totals); });
  bench::Print(plan, totals.micros, totals.failed, totals.first_failure);
  return totals.failed == 0 ? 0 : 1;
}
