// What a server does about clients that are slow, many, or ask for too much.
#include <sys/resource.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/one_shot.h"
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
using test::Run;
using test::Serve;
using test::Socket;

}  // namespace

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

TEST_CASE("a server that ran out of descriptors accepts again when some are free") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto server = Serve(loop, Echo);
    HttpClient client(loop.executor());
    Socket socket = co_await Connect(*server);  // takes its descriptor before they are gone
    rlimit normal{};
    getrlimit(RLIMIT_NOFILE, &normal);
    Socket waiting(loop.executor());
    waiting.open(boost::asio::ip::tcp::v4());
    // UndefinedBehaviorSanitizer looks at a class for the first time by way of a pipe: so what happens
    // without descriptors happens once before.
    REQUIRE((co_await client.Do(CallTo(*server))).ok());
    log::Info("{}", boost::system::error_code(EMFILE, boost::system::system_category()).message());
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
