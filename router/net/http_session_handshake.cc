// The begin of an HttpSession on a TLS port: a handshake, or a word to whoever does not make one.
#include <sys/socket.h>

#include <boost/asio/write.hpp>

#include "broker_adapters/base/log.h"
#include "router/net/http_session.h"

namespace llm_router {
namespace {

using boost::system::error_code;

constexpr char kHandshakeRecord = 22;  // the first byte of every TLS connection

}  // namespace

// False when there will be no request. Who speaks HTTP without TLS is told so, in words that it understands.
Awaitable<bool> HttpSession::Handshake() {
  if (!stream_.is_tls()) co_return true;
  Enter(Phase::kHandshake, context_.options.handshake_timeout);
  HttpSocket& socket = stream_.next_layer();
  auto [error] = co_await socket.async_wait(HttpSocket::wait_read, kUseTuple);
  char first = kHandshakeRecord;
  const ssize_t came = recv(socket.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (!error && came == 0) co_return false;  // a probe of the port, not worth a line
  if (first != kHandshakeRecord) {
    co_await RefusePlaintext();
    co_return false;
  }
  if (!error) error = co_await stream_.Handshake();
  if (!error) co_return true;
  if (const auto left_out = context_.handshakes.Admit(Now()); left_out && !co_await Cancelled()) {
    log::Info("{}: no TLS handshake: {} ({} more)", remote_, expired_ ? "it took too long" : error.message(),
              *left_out);
  }
  co_return false;
}

Awaitable<void> HttpSession::RefusePlaintext() {
  constexpr std::string_view kReply =
      "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
      "content-length: 47\r\n\r\n"
      "this port speaks TLS: begin the URL with https\n";
  HttpSocket& socket = stream_.next_layer();
  (void)co_await boost::asio::async_write(socket, boost::asio::buffer(kReply), kUseTuple);
  error_code ignored;
  socket.shutdown(HttpSocket::shutdown_send, ignored);
  if (const auto left_out = context_.handshakes.Admit(Now()))
    log::Info("{}: no TLS handshake: it speaks without TLS ({} more)", remote_, *left_out);
  co_await Drain();
}

}  // namespace llm_router
