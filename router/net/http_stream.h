// HttpStream: the bytes of one connection, as they are or through TLS, behind one interface.
//
// An Asio stream of its own: whatever reads and writes one (Asio's compositions, Beast's websocket) does so
// here and need not know which it is. Belongs to the connection; loop thread only. One read and one write may
// be under way at a time; cancelling the socket ends both.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <utility>
#include <variant>

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

using HttpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class HttpStream {
 public:
  using executor_type = HttpSocket::executor_type;
  using next_layer_type = HttpSocket;
  using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

  // Without a context: plain.
  HttpStream(HttpSocket socket, TlsContext context);

  bool is_tls() const { return std::holds_alternative<TlsStream>(stream_); }
  HttpSocket& next_layer() {
    return is_tls() ? std::get<TlsStream>(stream_).next_layer() : std::get<HttpSocket>(stream_);
  }
  const HttpSocket& next_layer() const {
    const auto* const tls = std::get_if<TlsStream>(&stream_);
    return tls != nullptr ? tls->next_layer() : std::get<HttpSocket>(stream_);
  }
  executor_type get_executor() { return next_layer().get_executor(); }

  // The server's part in a TLS handshake; at once on a plain stream.
  Awaitable<boost::system::error_code> Handshake();
  // Says to the other side that nothing more is sent, and reads no more: its bytes are next_layer()'s from
  // now on.
  Awaitable<void> ShutDown();

  // Calls `visitor` with the stream beneath: Asio's socket, or its TLS stream over one.
  template <class Visitor>
  auto Visit(Visitor&& visitor) {
    return std::visit(std::forward<Visitor>(visitor), stream_);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return Visit([&](auto& stream) { return stream.async_read_some(buffers, std::forward<Token>(token)); });
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return Visit([&](auto& stream) { return stream.async_write_some(buffers, std::forward<Token>(token)); });
  }

 private:
  using TlsStream = boost::asio::ssl::stream<HttpSocket>;

  TlsContext context_;  // the stream's own: a new certificate is for new connections
  std::variant<HttpSocket, TlsStream> stream_;
};

}  // namespace llm_router
