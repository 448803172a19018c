#include "router/net/http_server.h"

#include <sys/resource.h>

#include <boost/asio/connect.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/http_client.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/net/raw_server.h"

namespace llm_router {
namespace {

using test::RawServer;
using test::Run;
using test::Socket;

constexpr auto kPatience = std::chrono::seconds(20);
constexpr auto kGrace = Milliseconds(0);

Awaitable<void> Echo(HttpRequest& request, HttpResponder& responder) {
  HttpResponse response;
  response.headers = {{"x-method", request.method}, {"x-path", request.path}, {"x-query", request.query}};
  response.body = std::move(request.body);
  (void)co_await responder.Send(std::move(response));
}

HttpServerOptions Small() {
  HttpServerOptions options;
  options.body_limit = 1000;
  options.body_limit_setting = "limits.body";
  options.header_limit = 2000;
  return options;
}

std::unique_ptr<HttpServer> Serve(Loop& loop, HttpHandler handler, HttpServerOptions options = Small()) {
  auto server = HttpServer::Listen(loop.executor(), std::move(options), std::move(handler));
  INFO(server.status().ToString());
  REQUIRE(server.ok());
  return *std::move(server);
}

HttpCall CallTo(const HttpServer& server, std::string path = "/", std::string body = "hello") {
  HttpCall call;
  call.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
  call.body = std::move(body);
  call.deadline = Now() + kPatience;
  return call;
}

Awaitable<Socket> Connect(const HttpServer& server) {
  Socket socket(co_await boost::asio::this_coro::executor);
  const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(),
                                                static_cast<uint16_t>(server.port()));
  const auto [error] = co_await socket.async_connect(endpoint, kUseTuple);
  CHECK_FALSE(error);
  co_return socket;
}

Awaitable<std::string> ReadAll(Socket& socket) {
  std::string text;
  while (true) {
    std::array<char, 4096> bytes;
    const auto [error, size] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
    text.append(bytes.data(), size);
    if (error) co_return text;
  }
}

// All that the server says to these bytes until it closes the connection.
Awaitable<std::string> Exchange(const HttpServer& server, std::string sent) {
  Socket socket = co_await Connect(server);
  co_await RawServer::Write(socket, std::move(sent));
  co_return co_await ReadAll(socket);
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a request reaches the handler with path, query and body apart, and the reply comes back") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    HttpClient client(loop.executor());
    const auto reply = co_await client.Do(CallTo(*server, "/a/b?c=d%20e&f"));
    REQUIRE(reply.ok());
    CHECK(reply->status == 200);
    CHECK(reply->body == "hello");
    CHECK(HeaderOr(reply->headers, "x-method") == "POST");
    CHECK(HeaderOr(reply->headers, "x-path") == "/a/b");
    CHECK(HeaderOr(reply->headers, "x-query") == "c=d%20e&f");
    CHECK_FALSE(HeaderOr(reply->headers, "date").empty());
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("bad framing is answered and the connection closed, without troubling the handler") {
  struct Row {
    std::string sent, status, says;
  };
  const Row row = GENERATE(
      Row{"HELLO\r\n\r\n", "400", "not a valid"}, Row{"GET / HTTP/9.9\r\n\r\n", "400", "not a valid"},
      Row{"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400", "not a valid"},
      Row{"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400", "not a valid"},
      Row{"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400", "not a valid"},
      Row{"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", "400", "not a valid"},
      Row{"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "400", "not a valid"},
      Row{"POST / HTTP/1.1\r\ncontent-length: 1001\r\n\r\n", "413", "1000 bytes that limits.body allows"},
      Row{"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1000\r\n" + std::string(0x1000, 'x') +
              "\r\n0\r\n\r\n",
          "413", "1000 bytes that limits.body allows"},
      Row{"GET / HTTP/1.1\r\nx: " + std::string(3000, 'x') + "\r\n\r\n", "431", "2000 bytes"});
  Run([&](Loop& loop) -> Awaitable<void> {
    int handled = 0;
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder&) -> Awaitable<void> {
      ++handled;
      co_return;
    });
    Socket socket = co_await Connect(*server);
    co_await RawServer::Write(socket, row.sent);
    boost::system::error_code ignored;
    socket.shutdown(Socket::shutdown_send, ignored);
    const std::string said = co_await ReadAll(socket);
    INFO(said);
    CHECK(Contains(said, "HTTP/1.1 " + row.status));
    CHECK(Contains(said, row.says));
    CHECK(Contains(said, "connection: close"));
    CHECK(handled == 0);
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a chunk header without end is refused") {
  Run([&](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    const std::string said = co_await Exchange(
        *server, "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x'));
    CHECK(Contains(said, "HTTP/1.1 400"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("requests sent ahead are answered in order on one connection") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    const std::string said =
        co_await Exchange(*server,
                          "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\ntransfer-encoding: "
                          "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
                          "GET /3 HTTP/1.1\r\nconnection: close\r\n\r\n");
    INFO(said);
    CHECK(said.find("x-path: /1") < said.find("x-path: /2"));
    CHECK(said.find("\r\n\r\nabcHTTP/1.1 200") < said.find("x-path: /3"));
    CHECK(Contains(said, "connection: close"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a client that asks for leave gets it, unless its body is too large") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    Socket socket = co_await Connect(*server);
    co_await RawServer::Write(socket, "POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    CHECK(Contains(co_await RawServer::ReadRequest(socket), "HTTP/1.1 100 Continue"));
    co_await RawServer::Write(socket, "ok");
    CHECK(Contains(co_await RawServer::ReadRequest(socket), "\r\n\r\nok"));
    const std::string said = co_await Exchange(
        *server, "POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 20000\r\n\r\n");
    CHECK(Contains(said, "HTTP/1.1 413"));
    CHECK_FALSE(Contains(said, "100 Continue"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a HEAD request gets the length and no body") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, [](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      (void)co_await responder.Send(HttpResponse(200, {}, "12345"));
    });
    const std::string said = co_await Exchange(*server, "HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n");
    CHECK(Contains(said, "content-length: 5\r\n"));
    CHECK(said.substr(said.size() - 4) == "\r\n\r\n");
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a reply in pieces arrives as one body, chunked or with its length announced") {
  const bool announced = GENERATE(false, true);
  const bool at_once = GENERATE(false, true);  // the first piece goes with the head
  Run([=](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, [=](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      HttpHeaders headers = {{"content-type", "text/plain"}};
      if (announced) headers.emplace_back("content-length", "6");
      CHECK((co_await responder.SendHead(201, headers, at_once ? "abc" : "")).ok());
      if (!at_once) CHECK((co_await responder.Write("abc")).ok());
      CHECK((co_await responder.Write("def")).ok());
      CHECK((co_await responder.Finish()).ok());
      CHECK_FALSE((co_await responder.Write("late")).ok());
    });
    HttpClient client(loop.executor());
    for (int i = 0; i < 2; ++i) {
      const auto reply = co_await client.Do(CallTo(*server));
      REQUIRE(reply.ok());
      CHECK(reply->status == 201);
      CHECK(reply->body == "abcdef");
    }
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a reply of megabytes arrives whole") {
  Run([](Loop& loop) -> Awaitable<void> {
    HttpServerOptions options;
    const auto server = Serve(loop, Echo, options);
    HttpClient client(loop.executor());
    std::string body;
    for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i);
    const auto reply = co_await client.Do(CallTo(*server, "/", body));
    REQUIRE(reply.ok());
    CHECK((reply->body == body));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a handler that throws or says nothing gives a 500, one that stops halfway a broken connection") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, [](HttpRequest& request, HttpResponder& responder) -> Awaitable<void> {
      if (request.path == "/throw") throw std::runtime_error("secret");
      if (request.path == "/half") (void)co_await responder.SendHead(200, {}, {});
    });
    HttpClient client(loop.executor());
    for (const char* path : {"/throw", "/nothing"}) {
      const auto reply = co_await client.Do(CallTo(*server, path));
      REQUIRE(reply.ok());
      CHECK(reply->status == 500);
      CHECK_FALSE(Contains(reply->body, "secret"));
    }
    CHECK_FALSE((co_await client.Do(CallTo(*server, "/half"))).ok());
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a handler can break the connection off") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, [](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      responder.Reset();
      co_return;
    });
    HttpClient client(loop.executor());
    CHECK(FaultOf((co_await client.Do(CallTo(*server))).status()) == Fault::kProviderUnreachable);
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a handler whose client goes away is cancelled, also behind a request sent ahead") {
  const std::string ahead = GENERATE(as<std::string>(), "", "GET / HTTP/1.1\r\n\r\n");
  Run([&](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> cancelled(loop.executor());
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      began.Set(true);
      const bool slept = co_await Sleep(Now() + kPatience);
      CHECK_FALSE((co_await responder.Send(HttpResponse())).ok());
      cancelled.Set(!slept);
    });
    {
      Socket socket = co_await Connect(*server);
      co_await RawServer::Write(socket, "GET / HTTP/1.1\r\n\r\n" + ahead);
      CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    }
    CHECK((co_await cancelled.Wait(Now() + kPatience)).value_or(false));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a connection that is slow to send its headers or body gets a 408, an idle one is closed") {
  struct Row {
    std::string sent, says;
  };
  const Row row =
      GENERATE(Row{"GET / HT", "HTTP/1.1 408"},
               Row{"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab", "HTTP/1.1 408"}, Row{"", ""});
  Run([&](Loop& loop) -> Awaitable<void> {
    HttpServerOptions options;
    options.header_timeout = options.body_timeout = options.idle_timeout = Milliseconds(20);
    const auto server = Serve(loop, Echo, options);
    const std::string said = co_await Exchange(*server, row.sent);
    CHECK(said.substr(0, row.says.size()) == row.says);
    CHECK(said.empty() == row.says.empty());
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a client that does not read is given up") {
  Run([](Loop& loop) -> Awaitable<void> {
    HttpServerOptions options;
    options.write_timeout = Milliseconds(20);
    OneShot<bool> failed(loop.executor());
    const auto server = Serve(
        loop,
        [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
          failed.Set(!(co_await responder.Send(HttpResponse(200, {}, std::string(20'000'000, 'x')))).ok());
        },
        options);
    Socket socket = co_await Connect(*server);
    co_await RawServer::Write(socket, "GET / HTTP/1.1\r\n\r\n");
    CHECK((co_await failed.Wait(Now() + kPatience)).value_or(false));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("connections above the limit get a 503, and others go on") {
  Run([](Loop& loop) -> Awaitable<void> {
    HttpServerOptions options;
    options.max_connections = 1;
    const auto server = Serve(loop, Echo, options);
    HttpClient client(loop.executor());
    CHECK((co_await client.Do(CallTo(*server))).ok());
    CHECK(Contains(co_await Exchange(*server, ""), "HTTP/1.1 503"));
    CHECK((co_await client.Do(CallTo(*server))).ok());
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a body for which the server holds too many others gets a 503, a small one its reply") {
  Run([](Loop& loop) -> Awaitable<void> {
    HttpServerOptions options;
    options.unfinished_limit = 1'000'000;
    const auto server = Serve(loop, Echo, options);
    HttpClient client(loop.executor());
    const auto answered = [&](size_t size) -> Awaitable<int> {
      const auto reply = co_await client.Do(CallTo(*server, "/", std::string(size, 'x')));
      co_return reply.ok() ? reply->status : 0;
    };
    CHECK(co_await answered(1'500'000) == 503);
    {
      Socket held = co_await Connect(*server);
      co_await RawServer::Write(
          held, "POST / HTTP/1.1\r\ncontent-length: 2000000\r\n\r\n" + std::string(800'000, 'x'));
      while (co_await answered(500'000) == 200) {
      }
      CHECK(co_await answered(500'000) == 503);
      CHECK(co_await answered(1'000) == 200);
    }
    while (co_await answered(500'000) == 503) {
    }
    CHECK(co_await answered(500'000) == 200);
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("an address that can't be had is named with the remedy") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    HttpServerOptions options;
    options.port = server->port();
    const auto second = HttpServer::Listen(loop.executor(), options, Echo);
    REQUIRE_FALSE(second.ok());
    CHECK(Contains(MessageOf(second.status()), "127.0.0.1:" + std::to_string(server->port())));
    CHECK(Contains(MessageOf(second.status()), "choose another port"));
    options.host = "192.0.2.1";
    const auto third = HttpServer::Listen(loop.executor(), options, Echo);
    REQUIRE_FALSE(third.ok());
    CHECK(Contains(MessageOf(third.status()), "choose an address of this machine"));
    co_await server->Stop(kGrace);
  });
}

namespace {

Awaitable<void> StopAndTell(HttpServer& server, Milliseconds grace, OneShot<bool>& stopped) {
  co_await server.Stop(grace);
  stopped.Set(true);
}

Awaitable<void> CallAndTell(HttpClient& client, HttpCall call, OneShot<absl::StatusOr<HttpReply>>& told) {
  told.Set(co_await client.Do(std::move(call)));
}

}  // namespace

TEST_CASE("stopping lets running requests finish within the grace and cancels the others") {
  const bool patient = GENERATE(true, false);
  Run([patient](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> go_on(loop.executor());
    OneShot<bool> stopped(loop.executor());
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      began.Set(true);
      (void)co_await go_on.Wait(Now() + kPatience);
      (void)co_await responder.Send(HttpResponse(200, {}, "done"));
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Spawn(StopAndTell(*server, patient ? Milliseconds(kPatience) : Milliseconds(0), stopped));
    if (patient) {
      CHECK_FALSE(stopped.is_set());
      go_on.Set(true);
    }
    const auto reply = co_await told.Wait(Now() + kPatience);
    REQUIRE(reply.has_value());
    CHECK(reply->ok() == patient);
    CHECK((co_await stopped.Wait(Now() + kPatience)).has_value());
    co_await tasks.Join();
  });
}

TEST_CASE("a handler that the server cancels can still end its reply, once") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> stopped(loop.executor());
    bool had_another = true;
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      CHECK_FALSE(co_await responder.HasLastWord());
      (void)co_await responder.SendHead(200, {}, {});
      began.Set(true);
      (void)co_await Sleep(TimePoint::max());
      CHECK(co_await responder.HasLastWord());
      (void)co_await responder.Write("last word");
      (void)co_await responder.Finish();
      (void)co_await Sleep(TimePoint::max());
      had_another = co_await responder.HasLastWord();
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Spawn(StopAndTell(*server, Milliseconds(0), stopped));
    const auto reply = co_await told.Wait(Now() + kPatience);
    REQUIRE(reply.has_value());
    REQUIRE(reply->ok());
    CHECK((*reply)->body == "last word");
    CHECK((co_await stopped.Wait(Now() + kPatience)).has_value());
    CHECK_FALSE(had_another);
    co_await tasks.Join();
  });
}

TEST_CASE("a handler whose client went away has no last word") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> has_last_word(loop.executor());
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      (void)co_await responder.SendHead(200, {}, {});
      began.Set(true);
      (void)co_await Sleep(TimePoint::max());
      has_last_word.Set(co_await responder.HasLastWord());
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    const auto call = tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Cancel(call);
    CHECK(co_await has_last_word.Wait(Now() + kPatience) == std::optional(false));
    co_await tasks.Join();
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a server that ran out of descriptors accepts again when some are free") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    HttpClient client(loop.executor());
    Socket socket = co_await Connect(*server);  // takes its descriptor before they are gone
    rlimit normal{};
    getrlimit(RLIMIT_NOFILE, &normal);
    Socket waiting(loop.executor());
    waiting.open(boost::asio::ip::tcp::v4());
    rlimit none = normal;
    none.rlim_cur = static_cast<rlim_t>(waiting.native_handle());
    setrlimit(RLIMIT_NOFILE, &none);
    const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(),
                                                  static_cast<uint16_t>(server->port()));
    const auto [error] = co_await waiting.async_connect(endpoint, kUseTuple);
    CHECK_FALSE(error);
    co_await RawServer::Write(socket, "GET /first HTTP/1.1\r\n\r\n");
    CHECK(Contains(co_await RawServer::ReadRequest(socket), "/first"));
    setrlimit(RLIMIT_NOFILE, &normal);
    co_await RawServer::Write(waiting, "GET /second HTTP/1.1\r\n\r\n");
    CHECK(Contains(co_await RawServer::ReadRequest(waiting), "/second"));
    co_await server->Stop(kGrace);
  });
}

}  // namespace llm_router
