#include "tests/support/cut_wire.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace llm_router::test {

using boost::asio::ip::tcp;

namespace {

tcp::endpoint Loopback(int port) {
  return tcp::endpoint(boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(port));
}

}  // namespace

CutWire::CutWire(Executor executor, int server_port)
    : executor_(executor),
      server_port_(server_port),
      acceptor_(executor, Loopback(0)),
      tasks_(executor),
      changed_(executor) {
  tasks_.Spawn(Accept());
}

void CutWire::HoldAnswers(bool on) {
  holding_ = on;
  changed_.Notify();
}

void CutWire::Reset() {
  for (const auto& link : std::exchange(links_, {})) Cut(link);
}

void CutWire::HalfClose() {
  boost::system::error_code ignored;
  for (const auto& link : links_) link->client.shutdown(tcp::socket::shutdown_send, ignored);
}

void CutWire::Cut(const std::shared_ptr<Link>& link) {
  boost::system::error_code ignored;
  for (Socket* socket : {&link->client, &link->server}) {
    socket->set_option(boost::asio::socket_base::linger(true, 0), ignored);
    socket->close(ignored);
  }
  links_.erase(link);
  changed_.Notify();
}

Awaitable<void> CutWire::Accept() {
  while (!co_await Cancelled()) {
    const auto link = std::make_shared<Link>(executor_);
    const auto [error] = co_await acceptor_.async_accept(link->client, kUseTuple);
    if (error) co_return;
    if (refusing_) {
      Cut(link);
      continue;
    }
    links_.insert(link);
    tasks_.Spawn(Connect(link));
  }
}

Awaitable<void> CutWire::Connect(std::shared_ptr<Link> link) {
  const auto [error] = co_await link->server.async_connect(Loopback(server_port_), kUseTuple);
  if (error) {
    Cut(link);
    co_return;
  }
  tasks_.Spawn(Relay(link, true));
  co_await Relay(link, false);
}

Awaitable<void> CutWire::Relay(std::shared_ptr<Link> link, bool to_client) {
  Socket& from = to_client ? link->server : link->client;
  Socket& to = to_client ? link->client : link->server;
  std::array<char, 16'384> buffer;
  while (!co_await Cancelled() && links_.contains(link)) {
    const auto [failed, size] = co_await from.async_read_some(boost::asio::buffer(buffer), kUseTuple);
    if (failed) break;
    while (to_client && holding_ && links_.contains(link) && !co_await Cancelled())
      (void)co_await changed_.Until([&] { return !holding_ || !links_.contains(link); });
    if (!links_.contains(link)) break;
    const auto bytes = boost::asio::buffer(buffer.data(), size);
    const auto [error, written] = co_await boost::asio::async_write(to, bytes, kUseTuple);
    if (error) break;
  }
  Cut(link);
}

Awaitable<void> CutWire::Stop() {
  acceptor_.close();
  Reset();
  tasks_.Cancel();
  co_await tasks_.Join();
}

}  // namespace llm_router::test
