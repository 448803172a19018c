// A reply that is read as it arrives.
#include <string>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
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

// What a download of that server's reply gives: its head's status, its body, and how it ended.
struct Downloaded {
  int status = 0;
  std::string body;
  absl::Status end;
};

Downloaded Download(RawServer::Behaviour behaviour, size_t max_reply = 10'000'000) {
  Downloaded downloaded;
  Run([&](Loop& loop) -> Awaitable<void> {
    RawServer server(loop.executor(), behaviour);
    {
      HttpClient client(loop.executor());
      HttpCall call = CallTo(server.Url());
      call.max_reply = max_reply;
      const auto download = client.Begin(std::move(call));
      const auto head = co_await download->Head();
      downloaded.end = head.status();
      if (head.ok()) downloaded.status = head->status;
      while (downloaded.end.ok()) {
        const auto bytes = co_await download->Read();
        downloaded.end = bytes.status();
        if (!bytes.ok() || bytes->empty()) break;
        downloaded.body += *bytes;
      }
    }
    co_await server.Stop();
  });
  return downloaded;
}

TEST_CASE("a reply is read while it arrives, and its pieces are the whole body") {
  const Downloaded whole = Download([](Socket& socket) -> Awaitable<void> {
    if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
    co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1'000; ++i)
      co_await RawServer::Write(socket, "3e8\r\n" + std::string(1'000, 'a' + i % 26) + "\r\n");
    co_await RawServer::Write(socket, "0\r\n\r\n");
  });
  CHECK(whole.status == 200);
  CHECK(whole.end.ok());
  CHECK(whole.body.size() == 1'000'000);
  CHECK(whole.body.substr(999'000) == std::string(1'000, 'a' + 999 % 26));
}

TEST_CASE("a reply's head is there before its body begins, and is not that of an interim reply") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> head_read(loop.executor());
    RawServer server(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
      co_await RawServer::Write(socket, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
      co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
      if (co_await head_read.Wait(Now() + kPatience)) co_await RawServer::Write(socket, "body");
    });
    {
      HttpClient client(loop.executor());
      const auto download = client.Begin(CallTo(server.Url()));
      const auto head = co_await download->Head();
      REQUIRE(head.ok());
      CHECK(head->status == 200);
      CHECK(HeaderOr(head->headers, "link").empty());
      head_read.Set(true);
      const auto body = co_await download->Read();
      REQUIRE(body.ok());
      CHECK(*body == "body");
    }
    co_await server.Stop();
  });
}

TEST_CASE("a reply that breaks off while it is read says so after what came") {
  const Downloaded cut = Download(Answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
  CHECK(cut.body == "half");
  CHECK(FaultOf(cut.end) == Fault::kProviderUnreachable);
}

TEST_CASE("a reply that is read piece by piece is bounded too") {
  const Downloaded large =
      Download(Answering("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + std::string(5'000, 'x')), 4'000);
  CHECK(FaultOf(large.end) == Fault::kProviderBadReply);
}

TEST_CASE("while nobody reads, the other side has to wait") {
  Run([](Loop& loop) -> Awaitable<void> {
    constexpr int kPieces = 64;
    const std::string piece(256 * 1024, 'x');
    int written = 0;
    RawServer server(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
      co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
      for (; written < kPieces; ++written) co_await RawServer::Write(socket, piece);
    });
    {
      HttpClient client(loop.executor());
      HttpCall call = CallTo(server.Url());
      call.max_reply = 100 << 20;
      const auto download = client.Begin(std::move(call));
      REQUIRE((co_await download->Head()).ok());
      int before = -1;
      while (before != written) {
        before = written;
        for (int i = 0; i < 20; ++i) (void)co_await Sleep(Now() + Milliseconds(1));
      }
      CHECK(written < kPieces);
      size_t size = 0;
      while (true) {
        const auto bytes = co_await download->Read();
        REQUIRE(bytes.ok());
        if (bytes->empty()) break;
        CHECK(bytes->size() <= 1 << 20);
        size += bytes->size();
      }
      CHECK(size == kPieces * piece.size());
    }
    co_await server.Stop();
  });
}

TEST_CASE("a download that is dropped closes its connection") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> closed(loop.executor());
    RawServer server(loop.executor(), [&](Socket& socket) -> Awaitable<void> {
      if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
      co_await RawServer::Write(socket, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfirst");
      (void)co_await RawServer::ReadRequest(socket);
      closed.Set(true);
    });
    {
      HttpClient client(loop.executor());
      auto download = client.Begin(CallTo(server.Url()));
      REQUIRE((co_await download->Head()).ok());
      CHECK(*co_await download->Read() == "first");
      download.reset();
      CHECK(co_await closed.Wait(Now() + kPatience));
    }
    co_await server.Stop();
  });
}

}  // namespace
}  // namespace llm_router
