#include "router/net/http_stream.h"

namespace llm_router {

using boost::system::error_code;

HttpStream::HttpStream(HttpSocket socket, TlsContext context)
    : context_(std::move(context)), stream_(std::move(socket)) {
  if (!context_) return;
  HttpSocket plain = std::get<HttpSocket>(std::move(stream_));
  stream_.emplace<TlsStream>(std::move(plain), *context_);
}

Awaitable<error_code> HttpStream::Handshake() {
  if (!is_tls()) co_return error_code();
  const auto [error] = co_await std::get<TlsStream>(stream_).async_handshake(TlsStream::server, kUseTuple);
  co_return error;
}

Awaitable<void> HttpStream::ShutDown() {
  // Ends with the other side's goodbye, or with any bytes that are none.
  if (is_tls()) (void)co_await std::get<TlsStream>(stream_).async_shutdown(kUseTuple);
  error_code ignored;
  next_layer().shutdown(HttpSocket::shutdown_send, ignored);
}

}  // namespace llm_router
