// HttpServer behind TLS: the same server, and what strangers do to a handshake.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "router/net/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"
#include "tests/support/run.h"
#include "tests/support/websocket_client.h"
#include "tests/unit/net/http_server_rig.h"
#include "tests/unit/net/tls_client.h"

namespace llm_router {
namespace {

using test::Certificates;
using test::Connect;
using test::Contains;
using test::kGrace;
using test::kPatience;
using test::ReadAll;
using test::Run;
using test::Socket;
using test::TlsClient;

constexpr TlsNames kNames{"listen.tls.client_ca", "listen.tls.cert", "listen.tls.cert_key"};

Awaitable<void> Echo(HttpRequest& request, HttpResponder& responder) {
  HttpResponse response;
  response.body = "<" + std::move(request.body) + ">";
  (void)co_await responder.Send(std::move(response));
}

TlsFiles WithoutCa(TlsFiles files) {
  files.ca.clear();
  return files;
}

std::unique_ptr<ServerTls> LoadTls(const TlsFiles& files) {
  auto tls = ServerTls::Load(files, kNames);
  INFO(tls.status().ToString());
  REQUIRE(tls.ok());
  return *std::move(tls);
}

std::unique_ptr<HttpServer> Serve(Loop& loop, const ServerTls& tls, HttpHandler handler = Echo,
                                  HttpServerOptions options = {}) {
  options.tls = &tls;
  auto server = HttpServer::Listen(loop.executor(), std::move(options), std::move(handler));
  REQUIRE(server.ok());
  return *std::move(server);
}

std::string Post(const std::string& body, const std::string& more = "") {
  return "POST / HTTP/1.1\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

// The error of one request on a connection of its own, none when it was answered.
Awaitable<bool> IsAnswered(int port, const TlsFiles& files) {
  TlsClient client(co_await boost::asio::this_coro::executor, files);
  if (co_await client.Connect(port)) co_return false;
  if (co_await client.Write(Post("hello", "connection: close\r\n"))) co_return false;
  co_return Contains(co_await client.ReadAll(), "<hello>");
}

TEST_CASE("requests are answered over TLS 1.2 and 1.3, one after the other on a connection") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Run([&](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    TlsClient client(loop.executor(), certificates.Issue("me"), version);
    CHECK_FALSE(co_await client.Connect(server->port()));
    CHECK_FALSE(co_await client.Write(Post("one")));
    CHECK(Contains(co_await client.ReadUntil("<one>"), "HTTP/1.1 200"));
    const std::string large(3'000'000, 'x');
    CHECK_FALSE(co_await client.Write(Post(large, "connection: close\r\n")));
    const std::string reply = co_await client.ReadAll();
    CHECK(Contains(reply, "<" + large + ">"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("of the protocols that a client offers HTTP/1.1 is chosen, or none") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    TlsClient both(loop.executor(), certificates.Issue("me")),
        other(loop.executor(), certificates.Issue("me"));
    both.Offer("\x02h2\x08http/1.1");
    CHECK_FALSE(co_await both.Connect(server->port()));
    CHECK(both.Chosen() == "http/1.1");
    other.Offer("\x02h2");
    CHECK_FALSE(co_await other.Connect(server->port()));
    CHECK(other.Chosen() == "");
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("TLS below 1.2 is refused") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    TlsClient client(loop.executor(), certificates.Issue("me"), TLS1_1_VERSION);
    CHECK(co_await client.Connect(server->port()));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("with a client CA only who shows a certificate of it is answered") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const Certificates others;
    const auto tls = LoadTls(certificates.Issue("server"));
    const auto server = Serve(loop, *tls);
    const TlsFiles mine = certificates.Issue("me");
    TlsFiles nothing;
    nothing.ca = mine.ca;
    TlsFiles foreign = others.Issue("me");
    foreign.ca = mine.ca;
    CHECK(co_await IsAnswered(server->port(), mine));
    CHECK_FALSE(co_await IsAnswered(server->port(), nothing));
    CHECK_FALSE(co_await IsAnswered(server->port(), foreign));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("who speaks HTTP without TLS is told to use https, and the connection ends") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    Socket socket = co_await Connect(*server);
    const std::string sent = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    co_await boost::asio::async_write(socket, boost::asio::buffer(sent), kUseTuple);
    const std::string said = co_await ReadAll(socket);
    CHECK(Contains(said, "HTTP/1.1 400 "));
    CHECK(said.ends_with("\r\n\r\nthis port speaks TLS: begin the URL with https\n"));
    CHECK(Contains(said, "content-length: 47\r\n"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a handshake that never ends, or never begins, is cut off and gives its place back") {
  const std::string sent = GENERATE(std::string(), std::string("\x16\x03\x01\x02", 4));
  Run([&](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    HttpServerOptions options;
    options.max_connections = 1;
    options.handshake_timeout = Milliseconds(300);
    const auto server = Serve(loop, *tls, Echo, options);
    Socket silent = co_await Connect(*server);
    co_await boost::asio::async_write(silent, boost::asio::buffer(sent), kUseTuple);
    CHECK(co_await ReadAll(silent) == "");
    const TimePoint end = Now() + kPatience;
    bool answered = false;
    while (!answered && Now() < end) answered = co_await IsAnswered(server->port(), certificates.Issue("me"));
    CHECK(answered);
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("bytes that are no handshake end the connection") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    Socket socket = co_await Connect(*server);
    const std::string sent("\x16\x03\x01\x00\x05hello and more of it", 24);
    co_await boost::asio::async_write(socket, boost::asio::buffer(sent), kUseTuple);
    (void)co_await ReadAll(socket);
    CHECK(co_await IsAnswered(server->port(), certificates.Issue("me")));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a client that goes away cancels its handler, over TLS too") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    OneShot<bool> begun(loop.executor()), cancelled(loop.executor());
    const auto server = Serve(loop, *tls, [&](HttpRequest&, HttpResponder&) -> Awaitable<void> {
      begun.Set(true);
      cancelled.Set(!co_await Sleep(Now() + kPatience));
    });
    std::optional<TlsClient> client(std::in_place, loop.executor(), certificates.Issue("me"));
    CHECK_FALSE(co_await client->Connect(server->port()));
    CHECK_FALSE(co_await client->Write(Post("hello")));
    CHECK((co_await begun.Wait(Now() + kPatience)).has_value());
    client.reset();
    CHECK((co_await cancelled.Wait(Now() + kPatience)).value_or(false));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("what a client sends while its request is handled is its next request") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    OneShot<bool> begun(loop.executor()), go_on(loop.executor());
    const auto server =
        Serve(loop, *tls, [&](HttpRequest& request, HttpResponder& responder) -> Awaitable<void> {
          begun.Set(true);
          (void)co_await go_on.Wait(Now() + kPatience);
          co_await Echo(request, responder);
        });
    TlsClient client(loop.executor(), certificates.Issue("me"));
    CHECK_FALSE(co_await client.Connect(server->port()));
    CHECK_FALSE(co_await client.Write(Post("one")));
    CHECK((co_await begun.Wait(Now() + kPatience)).has_value());
    const std::string large(20'000, 'y');
    CHECK_FALSE(co_await client.Write(Post(large)));
    go_on.Set(true);
    CHECK(Contains(co_await client.ReadUntil("<one>"), "200"));
    CHECK(Contains(co_await client.ReadUntil("y>"), "<" + large + ">"));
    co_await server->Stop(kGrace);
  });
}

// Makes a WebSocket of the connection, a moment late, and sends every message back.
Awaitable<void> SendBack(HttpRequest& request, HttpResponder& responder, Milliseconds late) {
  co_await Sleep(Now() + late);
  const auto socket = responder.Upgrade(request, WebSocketOptions());
  if (!socket.ok() || !(co_await (*socket)->Accept()).ok()) co_return;
  while (true) {
    auto message = co_await (*socket)->Receive();
    if (!message.ok()) co_return;
    (void)co_await (*socket)->Send(*std::move(message));
  }
}

TEST_CASE("a WebSocket stands on TLS, also when its first message came with the handshake") {
  const Milliseconds late = GENERATE(Milliseconds(0), Milliseconds(20));  // 20: a read is under way meanwhile
  Run([&](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls, [late](HttpRequest& request, HttpResponder& responder) {
      return SendBack(request, responder, late);
    });
    const std::string upgrade =
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const std::string one("\x81\x83\0\0\0\0one", 9), two("\x81\x83\0\0\0\0two", 9),
        close("\x88\x80\0\0\0\0", 6);
    TlsClient client(loop.executor(), certificates.Issue("me"));
    CHECK_FALSE(co_await client.Connect(server->port()));
    CHECK_FALSE(co_await client.Write(upgrade + one));
    CHECK(Contains(co_await client.ReadUntil("\x81\x03one"), "HTTP/1.1 101 "));
    CHECK_FALSE(co_await client.Write(two));
    CHECK(Contains(co_await client.ReadUntil("two"), "\x81\x03two"));
    CHECK_FALSE(co_await client.Write(close));
    CHECK(Contains(co_await client.ReadAll(), "\x88"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a refusal arrives whole although the client is still sending") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    HttpServerOptions options;
    options.body_limit = 1000;
    const auto server = Serve(loop, *tls, Echo, options);
    TlsClient client(loop.executor(), certificates.Issue("me"));
    CHECK_FALSE(co_await client.Connect(server->port()));
    (void)co_await client.Write(Post(std::string(300'000, 'x')));
    CHECK(Contains(co_await client.ReadAll(), "1000 bytes"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a new certificate is for new connections, a broken one for nobody") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const TlsFiles mine = certificates.Issue("me");
    const TlsFiles files = WithoutCa(certificates.Issue("server"));
    const auto tls = LoadTls(files);
    const auto server = Serve(loop, *tls);
    TlsClient first(loop.executor(), mine), second(loop.executor(), mine), third(loop.executor(), mine);
    CHECK_FALSE(co_await first.Connect(server->port()));
    certificates.Issue("server");
    CHECK(tls->Reload());
    CHECK_FALSE(co_await second.Connect(server->port()));
    CHECK(first.Serial() != second.Serial());
    certificates.Write("server.key", "no key\n");
    CHECK_FALSE(tls->Reload());
    CHECK_FALSE(co_await third.Connect(server->port()));
    CHECK(third.Serial() == second.Serial());
    CHECK_FALSE(co_await first.Write(Post("hello")));
    CHECK(Contains(co_await first.ReadUntil("<hello>"), "200"));
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("files that change are read by themselves") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto before = tls->current();
    TaskGroup tasks(loop.executor());
    tasks.Spawn(tls->Watch());
    certificates.Issue("server");
    const TimePoint end = Now() + kPatience;
    while (tls->current() == before && Now() < end) co_await Sleep(Now() + Milliseconds(10));
    CHECK(tls->current() != before);
    tasks.Cancel();
    co_await tasks.Join();
  });
}

Awaitable<void> AskMany(int port, const TlsFiles& files, int times, int& answered) {
  for (int i = 0; i < times; ++i) answered += co_await IsAnswered(port, files) ? 1 : 0;
}

TEST_CASE("no connection is lost while certificates are replaced under load") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const TlsFiles mine = certificates.Issue("me");
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server = Serve(loop, *tls);
    int answered = 0;
    TaskGroup tasks(loop.executor());
    for (int i = 0; i < 8; ++i) tasks.Spawn(AskMany(server->port(), mine, 10, answered));
    for (int i = 0; i < 20; ++i) {
      certificates.Issue("server");
      CHECK(tls->Reload());
      co_await Sleep(Now() + Milliseconds(1));
    }
    co_await tasks.Join();
    CHECK(answered == 80);
    co_await server->Stop(kGrace);
  });
}

TEST_CASE("a server's TLS settings that can't work are refused with their remedy") {
  const Certificates certificates;
  TlsFiles files;
  std::string says;
  SECTION("a client CA alone") {
    files.ca = certificates.ca();
    says = "listen.tls.cert: is missing: listen.tls.client_ca needs it, give the server's certificate";
  }
  SECTION("the system's CAs for clients") {
    files = certificates.Issue("server");
    files.ca = "system";
    says =
        "listen.tls.client_ca: the system's CAs sign for anybody: give a PEM file with the CA that signs for "
        "your callers";
  }
  const auto tls = ServerTls::Load(files, kNames);
  CHECK(MessageOf(tls.status()) == says);
}

TEST_CASE("no files: no TLS") {
  const auto tls = ServerTls::Load(TlsFiles(), kNames);
  REQUIRE(tls.ok());
  CHECK(*tls == nullptr);
}

}  // namespace
TEST_CASE("a WebSocket goes over TLS like anything else, its end included") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Certificates certificates;
    const auto tls = LoadTls(WithoutCa(certificates.Issue("server")));
    const auto server =
        Serve(loop, *tls, [](HttpRequest& request, HttpResponder& responder) -> Awaitable<void> {
          const auto socket = responder.Upgrade(request, WebSocketOptions());
          CHECK(socket.ok());
          // Time for the watch over the client to begin: it must not take what is the WebSocket's.
          co_await Sleep(Now() + Milliseconds(5));
          if (!socket.ok() || !(co_await (*socket)->Accept()).ok()) co_return;
          auto message = co_await (*socket)->Receive();
          CHECK(message.ok());
          if (message.ok()) CHECK((co_await (*socket)->Send(*std::move(message))).ok());
        });
    TlsFiles trusted;
    trusted.ca = certificates.ca();
    TlsClient client(loop.executor(), trusted);
    CHECK_FALSE(co_await client.Connect(server->port()));
    co_await client.Write(test::Handshake("/"));
    CHECK((co_await client.ReadUntil("\r\n\r\n")).starts_with("HTTP/1.1 101 "));
    co_await client.Write(test::Encoded(test::Frame(test::kText, "over TLS")));
    const std::string rest = co_await client.ReadUntil("\x03\xE8");
    CHECK(rest == "\x81\x08over TLS\x88\x02\x03\xE8");
    co_await client.Write(test::Encoded(test::Frame(test::kClose, "\x03\xE8")));
    CHECK((co_await client.ReadAll()).empty());
    co_await server->Stop(kGrace);
  });
}

}  // namespace llm_router
