#include "router/net/http_client.h"

#include <dirent.h>

#include <array>
#include <optional>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/descriptors.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/net/http_client_rig.h"

namespace llm_router {
namespace {

using test::Answering;
using test::CallTo;
using test::kPatience;
using test::RawServer;
using test::Run;
using test::Socket;

int OpenDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// What a call to a server of that behaviour comes to.
absl::StatusOr<HttpReply> Outcome(RawServer::Behaviour behaviour, Milliseconds patience = kPatience,
                                  size_t max_reply = 1000) {
  absl::StatusOr<HttpReply> outcome;
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), behaviour);
    {
      HttpClient client(loop.executor());
      HttpCall call = CallTo(server.Url(), patience);
      call.max_reply = max_reply;
      outcome = co_await client.Do(std::move(call));
    }
    co_await server.Stop();
  });
  return outcome;
}

void RequireFault(const absl::StatusOr<HttpReply>& outcome, Fault fault) {
  INFO(outcome.status().ToString());
  REQUIRE_FALSE(outcome.ok());
  CHECK(RowOf(FaultOf(outcome.status())).name == RowOf(fault).name);
  CHECK(MessageOf(outcome.status()).find("secret") == std::string_view::npos);
}

// One connection after the other, each with any number of requests, all answered alike.
Awaitable<void> KeepAnswering(Socket& socket) {
  while (!(co_await RawServer::ReadRequest(socket)).empty()) {
    co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  }
}

Awaitable<void> CallOnce(HttpClient& client, HttpCall call, int& succeeded) {
  const auto reply = co_await client.Do(std::move(call));
  if (reply.ok() && reply->status == 200 && reply->body == "ok") ++succeeded;
}

}  // namespace

TEST_CASE("a reply comes back with its status, its headers in lower case and its body") {
  const auto reply = Outcome(Answering(
      "HTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nX-Request-ID: r1\r\nContent-Length: 5\r\n\r\nhello"));
  REQUIRE(reply.ok());
  CHECK(reply->status == 429);
  CHECK(HeaderOr(reply->headers, "retry-after") == "7");
  CHECK(HeaderOr(reply->headers, "x-request-id") == "r1");
  CHECK(reply->body == "hello");
}

TEST_CASE("a request carries its method, headers and body, and asks for no leave to send it") {
  std::string seen;
  const auto reply = Outcome([&](Socket& socket) -> Awaitable<void> {
    seen = co_await RawServer::ReadRequest(socket);
    co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  REQUIRE(reply.ok());
  CHECK(seen.find("POST / HTTP/1.1\r\n") == 0);
  CHECK(seen.find("authorization: Bearer sk-secret\r\n") != std::string::npos);
  CHECK(seen.find("Content-Length: 13\r\n") != std::string::npos);
  CHECK(seen.find("Expect") == std::string::npos);
}

TEST_CASE("a redirect is a reply like any other and is not followed") {
  const auto reply =
      Outcome(Answering("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"));
  REQUIRE(reply.ok());
  CHECK(reply->status == 302);
}

TEST_CASE("an interim reply is not taken for the answer") {
  const auto reply = Outcome(Answering(
      "HTTP/1.1 100 Continue\r\nx-interim: 1\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  REQUIRE(reply.ok());
  CHECK(reply->status == 200);
  CHECK(HeaderOr(reply->headers, "x-interim").empty());
}

TEST_CASE("a refused connection is provider_unreachable and names host and port only") {
  absl::StatusOr<HttpReply> outcome;
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), Answering(""));
    const int port = server.port();
    co_await server.Stop();
    HttpClient client(loop.executor());
    outcome = co_await client.Do(CallTo("http://user:secret@127.0.0.1:" + std::to_string(port) + "/secret"));
    CHECK(MessageOf(outcome.status()).find("127.0.0.1:" + std::to_string(port)) == 0);
  });
  RequireFault(outcome, Fault::kProviderUnreachable);
}

TEST_CASE("a connection that is reset before, in or after the headers is provider_unreachable") {
  const std::string sent = GENERATE(as<std::string>(), "", "HTTP/1.1 200 OK\r\nx-a",
                                    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
                                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  RequireFault(Outcome([&](Socket& socket) -> Awaitable<void> {
                 co_await RawServer::ReadRequest(socket);
                 if (!sent.empty()) co_await RawServer::Write(socket, sent);
                 RawServer::Reset(socket);
               }),
               Fault::kProviderUnreachable);
}

TEST_CASE("a body that ends before its length is provider_unreachable") {
  RequireFault(Outcome(Answering("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort")),
               Fault::kProviderUnreachable);
}

TEST_CASE("what is no HTTP is provider_bad_reply") {
  const std::string sent = GENERATE(as<std::string>(), "<html>hello</html>\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n");
  RequireFault(Outcome(Answering(sent)), Fault::kProviderBadReply);
}

TEST_CASE("a body over the limit is provider_bad_reply, announced or not") {
  const std::string body(2000, 'x');
  const std::string head = GENERATE(as<std::string>(), "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n",
                                    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
  RequireFault(Outcome(Answering(head + body)), Fault::kProviderBadReply);
}

TEST_CASE("a body of exactly the limit is a reply") {
  const auto reply =
      Outcome(Answering("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + std::string(1000, 'x')));
  REQUIRE(reply.ok());
  CHECK(reply->body.size() == 1000);
}

TEST_CASE("headers without end are provider_bad_reply") {
  RequireFault(Outcome([&](Socket& socket) -> Awaitable<void> {
                 co_await RawServer::ReadRequest(socket);
                 if (!co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\n")) co_return;
                 const std::string line = "x-filler: " + std::string(1000, 'f') + "\r\n";
                 while (co_await RawServer::Write(socket, line)) continue;
               }),
               Fault::kProviderBadReply);
}

TEST_CASE("a server that hangs costs the deadline and no more, and its connection is closed") {
  const std::string sent = GENERATE(as<std::string>(), "", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
  absl::StatusOr<HttpReply> outcome;
  Run([&](Loop& loop) -> Awaitable<void> {
    std::optional<RawServer> server;
    server.emplace(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      co_await RawServer::ReadRequest(socket);
      if (!sent.empty()) co_await RawServer::Write(socket, sent);
      co_await server->AwaitClose(socket);
    });
    HttpClient client(loop.executor());
    outcome = co_await client.Do(CallTo(server->Url(), Milliseconds(50)));
    CHECK(co_await server->ClientsGone(1));
    co_await server->Stop();
  });
  RequireFault(outcome, Fault::kProviderTimeout);
}

TEST_CASE("a call whose deadline has passed does not reach the server") {
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), KeepAnswering);
    HttpClient client(loop.executor());
    RequireFault(co_await client.Do(CallTo(server.Url(), Milliseconds(-1))), Fault::kProviderTimeout);
    CHECK(server.accepted() == 0);
    co_await server.Stop();
  });
}

namespace {

Awaitable<void> CallAndTell(HttpClient& client, HttpCall call, OneShot<absl::Status>& told) {
  told.Set((co_await client.Do(std::move(call))).status());
}

}  // namespace

TEST_CASE("a cancelled call ends at once as cancelled, and its connection is closed") {
  Run([&](Loop& loop) -> Awaitable<void> {
    std::optional<RawServer> server;
    OneShot<bool> reached(loop.executor());
    server.emplace(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      co_await RawServer::ReadRequest(socket);
      reached.Set(true);
      co_await server->AwaitClose(socket);
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::Status> told(loop.executor());
    tasks.Spawn(CallAndTell(client, CallTo(server->Url()), told));
    CHECK((co_await reached.Wait(Now() + kPatience)).has_value());
    tasks.Cancel();
    const auto outcome = co_await told.Wait(Now() + kPatience);
    REQUIRE(outcome.has_value());
    CHECK(FaultOf(*outcome) == Fault::kCancelled);
    CHECK(co_await server->ClientsGone(1));
    co_await tasks.Join();
    co_await server->Stop();
  });
}

TEST_CASE("a name that does not exist is provider_unreachable") {
  Run([&](Loop& loop) -> Awaitable<void> {
    HttpClient client(loop.executor());
    RequireFault(co_await client.Do(CallTo("http://no-such-host.invalid/")), Fault::kProviderUnreachable);
  });
}

TEST_CASE("a name with several addresses reaches the one that listens") {
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), KeepAnswering);
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    int succeeded = 0;
    for (int i = 0; i < 50; ++i) {
      tasks.Spawn(
          CallOnce(client, CallTo("http://localhost:" + std::to_string(server.port()) + "/"), succeeded));
    }
    co_await tasks.Join();
    CHECK(succeeded == 50);
    co_await server.Stop();
  });
}

TEST_CASE("a URL that is none, or not of HTTP, is an error that says so") {
  const std::string url = GENERATE(as<std::string>(), "http://", "ftp://127.0.0.1/", "file:///etc/passwd");
  Run([&](Loop& loop) -> Awaitable<void> {
    HttpClient client(loop.executor());
    const auto outcome = co_await client.Do(CallTo(url));
    REQUIRE_FALSE(outcome.ok());
    CHECK(MessageOf(outcome.status()).find("base_url") != std::string_view::npos);
  });
}

TEST_CASE("a header cannot smuggle another one in") {
  Run([&](Loop& loop) -> Awaitable<void> {
    HttpClient client(loop.executor());
    HttpCall call = CallTo("http://127.0.0.1:1/");
    call.headers.emplace_back("x-request-id", "a\r\nx-admin: yes");
    RequireFault(co_await client.Do(std::move(call)), Fault::kInvalidRequest);
  });
}

TEST_CASE("a handle that posted can get, and the other way round") {
  Run([&](Loop& loop) -> Awaitable<void> {
    std::vector<std::string> methods;
    RawServer server(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      while (true) {
        const std::string request = co_await RawServer::ReadRequest(socket);
        if (request.empty()) co_return;
        methods.push_back(request.substr(0, request.find(' ')));
        co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      }
    });
    HttpClient client(loop.executor());
    for (const char* method : {"POST", "GET", "DELETE", "POST", "HEAD", "PUT", "GET"}) {
      HttpCall call = CallTo(server.Url());
      call.method = method;
      CHECK((co_await client.Do(std::move(call))).ok());
    }
    CHECK(methods == std::vector<std::string>{"POST", "GET", "DELETE", "POST", "HEAD", "PUT", "GET"});
    co_await server.Stop();
  });
}

TEST_CASE("calls one after the other share a connection, and one that was closed meanwhile is replaced") {
  Run([&](Loop& loop) -> Awaitable<void> {
    int answered = 0;
    RawServer server(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      for (int i = 0; i < 3; ++i) {
        if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
        ++answered;
        co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      }
    });
    HttpClient client(loop.executor());
    for (int i = 0; i < 9; ++i) {
      const auto reply = co_await client.Do(CallTo(server.Url()));
      INFO(i << " " << reply.status().ToString());
      CHECK(reply.ok());
    }
    CHECK(answered == 9);
    CHECK(server.accepted() == 3);
    co_await server.Stop();
  });
}

TEST_CASE("two thousand calls at once all come back, and leave no descriptor behind") {
  RaiseDescriptorLimit();
  const int before = OpenDescriptors();
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), KeepAnswering);
    {
      HttpClient client(loop.executor());
      TaskGroup tasks(loop.executor());
      int succeeded = 0;
      for (int i = 0; i < 2000; ++i) tasks.Spawn(CallOnce(client, CallTo(server.Url()), succeeded));
      co_await tasks.Join();
      CHECK(succeeded == 2000);
    }
    co_await server.Stop();
  });
  CHECK(OpenDescriptors() == before);
}

TEST_CASE("a thousand broken calls leave no descriptor behind") {
  RaiseDescriptorLimit();
  const int before = OpenDescriptors();
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), [](Socket& socket) -> Awaitable<void> {
      co_await RawServer::ReadRequest(socket);
      RawServer::Reset(socket);
    });
    {
      HttpClient client(loop.executor());
      TaskGroup tasks(loop.executor());
      int succeeded = 0;
      for (int i = 0; i < 1000; ++i) tasks.Spawn(CallOnce(client, CallTo(server.Url()), succeeded));
      co_await tasks.Join();
      CHECK(succeeded == 0);
    }
    co_await server.Stop();
  });
  CHECK(OpenDescriptors() == before);
}

}  // namespace llm_router
