// HttpServer: an HTTP/1.1 server on the loop, one coroutine a connection.
//
// Owned by the door that opens it; loop thread only. Ended with `co_await Stop()` before it is destroyed.
// Whatever a stranger can grow has a bound: connections, headers, bodies, and the time that each may take.
// A connection counts from its begin, before any TLS handshake; who speaks HTTP without TLS to a TLS port is
// told so. Bad framing is answered here (400, 408, 413, 431) and never reaches the handler.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "router/net/http_message.h"
#include "router/net/server_tls.h"
#include "router/net/websocket.h"

namespace llm_router {

// The way back to the client of one request; belongs to the connection. A failed call (cancelled: the client
// went away) means that nothing more can be sent; every later call fails too.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;

  // A whole reply.
  virtual Awaitable<absl::Status> Send(HttpResponse response) = 0;

  // A reply in pieces: one SendHead, any number of Write, one Finish. Without a content-length among
  // `headers` the pieces go out chunked. A piece that is there already goes out with the head, in one write:
  // `first`. Write returns when its bytes are with the kernel: that is the backpressure.
  virtual Awaitable<absl::Status> SendHead(int status, HttpHeaders headers, std::string first) = 0;
  virtual Awaitable<absl::Status> Write(std::string bytes) = 0;
  virtual Awaitable<absl::Status> Finish() = 0;

  // Breaks the connection off with a TCP reset.
  virtual void Reset() = 0;

  // For a handler that was cancelled: whether its client is still there, because the server is what ends it.
  // Then the coroutine goes on, once and for a moment, and ends the reply in the words of its API.
  virtual Awaitable<bool> HasLastWord() = 0;

  // Makes a WebSocket of the connection, once its Accept was called; until then a reply may be sent instead.
  // A failed status (invalid_request): `request` does not ask for one. Belongs to the connection; its handler
  // reads it to the end, and is not cancelled when the client goes away.
  virtual absl::StatusOr<WebSocket*> Upgrade(const HttpRequest& request, WebSocketOptions options) = 0;
};

// Called once a request, one at a time per connection. It replies before it ends; when it did not, the client
// gets a 500, or a broken connection if a part was sent. When the client goes away meanwhile its coroutine is
// cancelled. `request` is its own to move from.
using HttpHandler = std::function<Awaitable<void>(HttpRequest& request, HttpResponder& responder)>;

struct HttpServerOptions {
  HttpServerOptions() = default;

  std::string host = "127.0.0.1";
  int port = 0;                                   // 0: any free one
  const ServerTls* tls = nullptr;                 // outlives the server; null: plaintext
  size_t body_limit = 32 * 1024 * 1024;           // bytes; above it 413,
  std::string body_limit_setting = "body_limit";  // which names this setting
  // Of a request that has more, of which all but the body has come: its own limit. Unset: body_limit.
  std::function<size_t(const HttpRequest& head)> body_limit_of;
  size_t most_body_limit = 0;  // that it ever gives
  // Bytes of all the requests that have begun to come and are not whole; above it those of more than 64 KB
  // get a 503.
  size_t unfinished_limit = size_t{2} * 1024 * 1024 * 1024;
  size_t header_limit = 64 * 1024;  // bytes of request line and headers; above it 431
  size_t max_connections = 10'000;  // above it 503
  Milliseconds handshake_timeout = std::chrono::seconds(10);  // from a connection's begin to TLS
  Milliseconds idle_timeout = std::chrono::seconds(75);       // between two requests of a connection
  Milliseconds header_timeout = std::chrono::seconds(10);  // from a request's first byte to its last header
  Milliseconds body_timeout = std::chrono::seconds(300);   // then until its body is whole
  Milliseconds write_timeout = std::chrono::seconds(300);  // for the client to take 256 KB of a reply
};

class HttpServer {
 public:
  // Listens and serves from now on. An error names the address and the remedy.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(Executor executor, HttpServerOptions options,
                                                            HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;

  // Takes no more connections and requests, lets those that run finish until `grace` has passed, then cancels
  // them, and two seconds later those that still have a last word to say. Returns when nothing is left.
  Awaitable<void> Stop(Milliseconds grace);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_router
