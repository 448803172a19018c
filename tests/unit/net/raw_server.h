// A server that misbehaves to order, below HTTP: what it does with a connection is a coroutine of the test's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "broker_adapters/base/task_group.h"

namespace llm_router::test {

inline constexpr auto kPatience = std::chrono::seconds(20);  // for what happens at once

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class RawServer {
 public:
  using Behaviour = std::function<Awaitable<void>(Socket&)>;

  RawServer(Executor executor, Behaviour behaviour)
      : acceptor_(executor, {boost::asio::ip::address_v4::loopback(), 0}),
        behaviour_(std::move(behaviour)),
        tasks_(executor) {
    tasks_.Spawn(Accept());
  }

  int port() const { return acceptor_.local_endpoint().port(); }
  std::string Url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port()) + std::string(path);
  }
  int accepted() const { return accepted_; }
  int closed_by_client() const { return closed_by_client_; }

  // Waits until `wanted` clients went away by themselves.
  Awaitable<bool> ClientsGone(int wanted) {
    const TimePoint patience = Now() + std::chrono::seconds(10);
    while (closed_by_client_ < wanted && Now() < patience) co_await Sleep(Now() + Milliseconds(1));
    co_return closed_by_client_ >= wanted;
  }

  Awaitable<void> Stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    tasks_.Cancel();
    co_await tasks_.Join();
  }

  // Reads until the end of the request's headers (and whatever came with them).
  static Awaitable<std::string> ReadRequest(Socket& socket) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      std::array<char, 4096> bytes;
      const auto [error, size] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
      if (error) co_return std::string();
      text.append(bytes.data(), size);
    }
    co_return text;
  }
  // False when the client is gone. (After an error another write on the socket would wait for ever.)
  static Awaitable<bool> Write(Socket& socket, std::string text) {
    const auto [error, size] =
        co_await boost::asio::async_write(socket, boost::asio::buffer(text), kUseTuple);
    co_return !error;
  }
  static void Reset(Socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

  // Waits until the client closes its side.
  Awaitable<void> AwaitClose(Socket& socket) {
    std::array<char, 4096> bytes;
    while (true) {
      const auto [error, size] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
      if (!error) continue;
      if (error != boost::asio::error::operation_aborted) ++closed_by_client_;
      co_return;
    }
  }

 private:
  Awaitable<void> Accept() {
    while (!co_await Cancelled()) {
      auto [error, socket] = co_await acceptor_.async_accept(kUseTuple);
      if (error) co_return;
      ++accepted_;
      tasks_.Spawn(Serve(std::move(socket)));
    }
  }
  Awaitable<void> Serve(Socket socket) { co_await behaviour_(socket); }

  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor> acceptor_;
  Behaviour behaviour_;
  TaskGroup tasks_;
  int accepted_ = 0;
  int closed_by_client_ = 0;
};

}  // namespace llm_router::test
