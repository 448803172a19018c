// CutWire: a TCP relay between a client and a server that tests cut: held back, reset, half closed, refused.
//
// Listens on a free port of 127.0.0.1. Loop thread only; `co_await Stop()` before destruction.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <set>

#include "broker_adapters/base/task_group.h"
#include "tests/contract/signal.h"

namespace llm_router::test {

class CutWire {
 public:
  CutWire(Executor executor, int server_port);

  int port() const { return acceptor_.local_endpoint().port(); }
  // While on, what the server says waits here.
  void HoldAnswers(bool on);
  // While on, new connections are closed at once.
  void Refuse(bool on) { refusing_ = on; }
  // Resets every connection, at both ends.
  void Reset();
  // Ends what the server says, of every connection; what the client says still gets there.
  void HalfClose();
  Awaitable<void> Stop();

 private:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  struct Link {
    explicit Link(Executor executor) : client(executor), server(executor) {}
    Socket client;
    Socket server;
  };

  Awaitable<void> Accept();
  Awaitable<void> Connect(std::shared_ptr<Link> link);
  Awaitable<void> Relay(std::shared_ptr<Link> link, bool to_client);
  void Cut(const std::shared_ptr<Link>& link);

  const Executor executor_;
  const int server_port_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor> acceptor_;
  TaskGroup tasks_;
  Signal changed_;
  std::set<std::shared_ptr<Link>> links_;  // each shared with its two directions
  bool holding_ = false;
  bool refusing_ = false;
};

}  // namespace llm_router::test
