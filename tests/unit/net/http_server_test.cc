#include "router/net/http_server.h"

#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/run.h"
#include "tests/unit/net/http_server_rig.h"

namespace llm_router {
namespace {

using test::CallTo;
using test::Connect;
using test::Contains;
using test::Echo;
using test::Exchange;
using test::kGrace;
using test::kPatience;
using test::RawServer;
using test::ReadAll;
using test::Run;
using test::Serve;
using test::Socket;

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

}  // namespace llm_router
