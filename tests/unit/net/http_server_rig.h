// A server under test, and clients that speak HTTP to it byte by byte.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "broker_adapters/base/loop.h"
#include "router/net/http_client.h"
#include "router/net/http_server.h"
#include "tests/support/catch.h"
#include "tests/unit/net/raw_server.h"

namespace llm_router::test {

inline constexpr auto kGrace = Milliseconds(0);

inline Awaitable<void> Echo(HttpRequest& request, HttpResponder& responder) {
  HttpResponse response;
  response.headers = {{"x-method", request.method}, {"x-path", request.path}, {"x-query", request.query}};
  response.body = std::move(request.body);
  (void)co_await responder.Send(std::move(response));
}

inline HttpServerOptions Small() {
  HttpServerOptions options;
  options.body_limit = 1000;
  options.body_limit_setting = "limits.body";
  options.header_limit = 2000;
  return options;
}

inline std::unique_ptr<HttpServer> Serve(Loop& loop, HttpHandler handler,
                                         HttpServerOptions options = Small()) {
  auto server = HttpServer::Listen(loop.executor(), std::move(options), std::move(handler));
  INFO(server.status().ToString());
  REQUIRE(server.ok());
  return *std::move(server);
}

inline HttpCall CallTo(const HttpServer& server, std::string path = "/", std::string body = "hello") {
  HttpCall call;
  call.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
  call.body = std::move(body);
  call.deadline = Now() + kPatience;
  return call;
}

inline Awaitable<Socket> Connect(const HttpServer& server) {
  Socket socket(co_await boost::asio::this_coro::executor);
  const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(),
                                                static_cast<uint16_t>(server.port()));
  const auto [error] = co_await socket.async_connect(endpoint, kUseTuple);
  CHECK_FALSE(error);
  co_return socket;
}

inline Awaitable<std::string> ReadAll(Socket& socket) {
  std::string text;
  while (true) {
    std::array<char, 4096> bytes;
    const auto [error, size] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
    text.append(bytes.data(), size);
    if (error) co_return text;
  }
}

// All that the server says to these bytes until it closes the connection.
inline Awaitable<std::string> Exchange(const HttpServer& server, std::string sent) {
  Socket socket = co_await Connect(server);
  co_await RawServer::Write(socket, std::move(sent));
  co_return co_await ReadAll(socket);
}

inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace llm_router::test
