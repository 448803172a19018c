// WebSockets over HttpServer: the cases of the Autobahn test suite that matter, and the bounds of our own, by
// a client that breaks the rules frame by frame.
#include "router/net/websocket.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/status.h"
#include "router/net/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/websocket_client.h"

namespace llm_router::test {
namespace {

constexpr int kProtocolError = 1002, kBadUtf8 = 1007, kTooBig = 1009;

Awaitable<void> SendBack(WebSocket& socket) {
  for (auto message = co_await socket.Receive(); message.ok(); message = co_await socket.Receive()) {
    WebSocketMessage echo((message->is_text ? "text:" : "binary:") + message->data);
    if (!(co_await socket.Send(std::move(echo))).ok()) co_return;
  }
}

// A server that sends every message back with its kind before it.
class Server {
 public:
  using Body = std::function<Awaitable<void>(WebSocket&)>;

  explicit Server(WebSocketOptions options = {}, Body body = SendBack, HttpServerOptions serving = {})
      : options_(options), body_(std::move(body)) {
    loop_.Start();
    loop_.RunTask([this, &serving]() -> Awaitable<void> {
      auto listening = HttpServer::Listen(
          loop_.executor(), serving,
          [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
      REQUIRE(listening.ok());
      http_ = *std::move(listening);
      co_return;
    });
  }
  ~Server() { Stop(Milliseconds(0)); }

  void Stop(Milliseconds grace) {
    loop_.RunTask([this, grace]() -> Awaitable<void> {
      if (http_) co_await http_->Stop(grace);
      http_.reset();
    });
  }
  int port() const { return http_->port(); }
  // How many handlers have come to their end.
  int ended() {
    int count = 0;
    loop_.RunTask([&]() -> Awaitable<void> {
      count = ended_;
      co_return;
    });
    return count;
  }

 private:
  Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) {
    const auto socket = responder.Upgrade(request, options_);
    if (!socket.ok()) {
      HttpResponse refusal(400, {}, std::string(MessageOf(socket.status())));
      (void)co_await responder.Send(std::move(refusal));
      co_return;
    }
    if ((co_await (*socket)->Accept()).ok()) co_await body_(**socket);
    ++ended_;
  }

  const WebSocketOptions options_;
  const Body body_;
  Loop loop_;
  std::unique_ptr<HttpServer> http_;
  int ended_ = 0;
};

// The code of the close frame that comes next; what comes before it must be data.
int CloseCode(WebSocketClient& client) {
  for (Frame frame = client.Read(); frame.opcode >= 0; frame = client.Read()) {
    if (frame.opcode == kClose) return frame.close_code();
  }
  return -1;
}

}  // namespace

TEST_CASE("a message comes whole, whatever its size, and unmasked frames go back") {
  Server server;
  WebSocketClient client(server.port(), "/");
  for (const size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536, 1'000'000}) {
    const std::string payload(size, 'x');
    client.Send(Frame(kText, payload));
    const Frame frame = client.Read();
    CHECK(frame.opcode == kText);
    CHECK(frame.fin);
    CHECK_FALSE(frame.masked);
    CHECK(frame.payload == "text:" + payload);
  }
}

TEST_CASE("binary messages need not be UTF-8") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kBinary, "abc"));
  CHECK(client.ReadText() == "binary:abc");
}

TEST_CASE("fragments are put together, with control frames between them") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kText, "one ", false));
  client.Send(Frame(kContinuation, "two ", false));
  client.Send(Frame(kPing, "are you there?"));
  const Frame pong = client.Read();
  CHECK(pong.opcode == kPong);
  CHECK(pong.payload == "are you there?");
  client.Send(Frame(kContinuation, "", false));
  client.Send(Frame(kContinuation, "three"));
  CHECK(client.ReadText() == "text:one two three");
}

TEST_CASE("a frame may come byte by byte") {
  Server server;
  WebSocketClient client(server.port(), "/");
  for (const char byte : Encoded(Frame(kText, "slowly"))) client.SendRaw(std::string_view(&byte, 1));
  CHECK(client.ReadText() == "text:slowly");
}

TEST_CASE("a message sent along with the handshake is not lost") {
  Server server;
  TcpClient tcp(server.port());
  REQUIRE(tcp.Send(Handshake("/") + Encoded(Frame(kText, "early"))));
  tcp.ReadTo("\r\n\r\n");
  CHECK(tcp.Read(2 + 10).substr(2) == "text:early");
}

TEST_CASE("pings of up to 125 bytes get their pongs, and an unasked pong is passed over") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kPong, "nobody asked"));
  for (const size_t size : {0, 1, 125}) {
    client.Send(Frame(kPing, std::string(size, '\xFE')));
    const Frame pong = client.Read();
    CHECK(pong.opcode == kPong);
    CHECK(pong.payload == std::string(size, '\xFE'));
  }
}

TEST_CASE("who breaks the framing is told 1002 and cut off") {
  struct Row {
    const char* what;
    std::string bytes;
  };
  Frame unmasked(kText, "x"), reserved(kText, "x"), reserved_ping(kPing, "x");
  unmasked.masked = false;
  reserved.reserved = GENERATE(1, 2, 4, 7);
  reserved_ping.reserved = reserved.reserved;
  const std::array rows = {
      Row{"an unmasked frame", Encoded(unmasked)},
      Row{"reserved bits", Encoded(reserved)},
      Row{"reserved bits in a ping", Encoded(reserved_ping)},
      Row{"data opcode 3", Encoded(Frame(3, "x"))},
      Row{"data opcode 7", Encoded(Frame(7, "x"))},
      Row{"control opcode 11", Encoded(Frame(11, "x"))},
      Row{"control opcode 15", Encoded(Frame(15, "x"))},
      Row{"a ping above 125 bytes", Encoded(Frame(kPing, std::string(126, 'x')))},
      Row{"a fragmented ping", Encoded(Frame(kPing, "x", false))},
      Row{"a continuation of nothing", Encoded(Frame(kContinuation, "x"))},
      Row{"a message in the middle of another",
          Encoded(Frame(kText, "x", false)) + Encoded(Frame(kText, "y"))},
      Row{"a close frame of one byte", Encoded(Frame(kClose, "x"))},
      Row{"a length of more than 63 bits",
          std::string("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10) + "abcd"},
  };
  Server server;
  for (const Row& row : rows) {
    INFO(row.what);
    WebSocketClient client(server.port(), "/");
    client.SendRaw(row.bytes);
    const int code = CloseCode(client);
    // A length beyond all bounds may as well be called too big.
    CHECK((code == kProtocolError || (row.bytes.size() == 14 && code == kTooBig)));
    CHECK(client.tcp().ReadAll().empty());
  }
}

TEST_CASE("text that is no UTF-8 is told 1007, in one frame or across fragments") {
  Server server;
  const std::string bad = GENERATE(std::string("\xC0\xAF"),                           // overlong
                                   std::string("\xED\xA0\x80"),                       // a surrogate
                                   std::string("\xF4\x90\x80\x80"),                   // beyond U+10FFFF
                                   std::string("abc\xFF"), std::string("\xE2\x82"));  // cut short
  WebSocketClient whole(server.port(), "/");
  whole.Send(Frame(kText, bad));
  CHECK(CloseCode(whole) == kBadUtf8);
  WebSocketClient pieces(server.port(), "/");
  pieces.Send(Frame(kText, bad.substr(0, 1), false));
  pieces.Send(Frame(kContinuation, bad.substr(1)));
  CHECK(CloseCode(pieces) == kBadUtf8);
}

TEST_CASE("a character may be cut by fragments") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kText, "\xE2", false));
  client.Send(Frame(kContinuation, "\x82", false));
  client.Send(Frame(kContinuation, "\xAC"));
  CHECK(client.ReadText() == "text:\xE2\x82\xAC");
}

TEST_CASE("a close frame is answered with its code and the connection ends") {
  Server server;
  for (const int code : {1000, 1001, 1003, 1007, 1011, 3000, 4999}) {
    WebSocketClient client(server.port(), "/");
    client.Send(Frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + "bye"));
    CHECK(CloseCode(client) == code);
    CHECK(client.tcp().ReadAll().empty());
  }
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kClose, ""));
  const Frame answer = client.Read();
  CHECK(answer.opcode == kClose);
  CHECK(client.tcp().ReadAll().empty());
}

TEST_CASE("close codes that nobody may send, and reasons that are no UTF-8, are told 1002") {
  Server server;
  for (const int code : {0, 999, 1004, 1005, 1006, 1016, 2999}) {
    INFO(code);
    WebSocketClient client(server.port(), "/");
    client.Send(Frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)}));
    CHECK(CloseCode(client) == kProtocolError);
  }
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kClose, "\x03\xE8\xFF\xFF"));
  const int code = CloseCode(client);
  CHECK((code == kProtocolError || code == kBadUtf8));
}

TEST_CASE("a message above the limit is told 1009, before it has come and across fragments") {
  WebSocketOptions options;
  options.message_limit = 1000;
  Server server(options);
  WebSocketClient exact(server.port(), "/");
  exact.Send(Frame(kText, std::string(1000, 'x')));
  CHECK(exact.ReadText().size() == 1005);
  WebSocketClient large(server.port(), "/");
  large.SendRaw(Encoded(Frame(kText, std::string(1001, 'x'))).substr(0, 100));
  CHECK(CloseCode(large) == kTooBig);
  WebSocketClient pieces(server.port(), "/");
  for (int i = 0; i < 3; ++i)
    pieces.Send(Frame(i == 0 ? kText : kContinuation, std::string(400, 'x'), false));
  CHECK(CloseCode(pieces) == kTooBig);
}

TEST_CASE("what is no WebSocket handshake can be answered by HTTP") {
  Server server;
  for (const std::string& request :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n"),
        std::string("GET / HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")}) {
    TcpClient client(server.port());
    REQUIRE(client.Send(request));
    CHECK(client.ReadAll().starts_with("HTTP/1.1 400 "));
  }
}

TEST_CASE("a client that vanishes ends its handler") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kText, "x"));
  client.ReadText();
  client.tcp().Reset();
  while (server.ended() == 0) {
  }
  CHECK(server.ended() == 1);
}

TEST_CASE("a silent client is pinged, and dropped when it does not answer") {
  WebSocketOptions options;
  options.idle_timeout = Milliseconds(200);
  Server server(options);
  WebSocketClient client(server.port(), "/");
  CHECK(client.Read().opcode == kPing);
  client.tcp().ReadAll();  // until the server has had enough
  while (server.ended() == 0) {
  }
  CHECK(server.ended() == 1);
}

TEST_CASE("for a slow reader no more waits than the queue holds") {
  WebSocketOptions options;
  options.queued_messages = 10;
  options.queued_bytes = 1024 * 1024;
  bool refused = false;
  Server server(options, [&](WebSocket& socket) -> Awaitable<void> {
    // Far more than the kernel's buffers take.
    for (int i = 0; i < 1000 && !refused; ++i) {
      refused = !socket.TrySend(WebSocketMessage(std::string(100'000, 'x')));
      co_await Sleep(Now());
    }
    while ((co_await socket.Receive()).ok()) {
    }
  });
  WebSocketClient client(server.port(), "/", "", 4096);
  client.Send(Frame(kPing, ""));  // answered once the reader reads again
  int messages = 0;
  for (Frame frame = client.Read(); frame.opcode != kPong && frame.opcode >= 0; frame = client.Read())
    ++messages;
  CHECK(messages < 1000);
  server.Stop(Milliseconds(0));
  CHECK(refused);
}

TEST_CASE("a reader that takes nothing is cut off") {
  WebSocketOptions options;
  options.write_timeout = Milliseconds(100);
  HttpServerOptions serving;
  serving.write_timeout = Milliseconds(100);
  Server server(
      options,
      [&](WebSocket& socket) -> Awaitable<void> {
        while ((co_await socket.Send(WebSocketMessage(std::string(1024 * 1024, 'x')))).ok()) {
        }
      },
      serving);
  const WebSocketClient client(server.port(), "/", "", 4096);
  while (server.ended() == 0) {
  }
  CHECK(server.ended() == 1);
}

TEST_CASE("a handler's end closes by handshake, after what it sent") {
  Server server({}, [](WebSocket& socket) -> Awaitable<void> {
    (void)socket.TrySend(WebSocketMessage("last words"));
    socket.Close(WebSocketClose::kGoingAway, "the server is shutting down");
    co_return;
  });
  WebSocketClient client(server.port(), "/");
  CHECK(client.ReadText() == "last words");
  const Frame close = client.Read();
  CHECK(close.close_code() == 1001);
  CHECK(close.payload.substr(2) == "the server is shutting down");
  client.Send(Frame(kClose, close.payload));
  CHECK(client.tcp().ReadAll().empty());
}

TEST_CASE("a client that does not answer the close frame is not waited for") {
  WebSocketOptions options;
  options.close_timeout = Milliseconds(100);
  Server server(options, [](WebSocket&) -> Awaitable<void> { co_return; });
  WebSocketClient client(server.port(), "/");
  CHECK(CloseCode(client) == 1000);
  client.tcp().ReadAll();
  server.Stop(std::chrono::seconds(20));  // returns: nothing is left
}

TEST_CASE("a server that stops cancels the handlers of WebSockets when their grace is over") {
  Server server;
  WebSocketClient client(server.port(), "/");
  client.Send(Frame(kText, "x"));
  client.ReadText();
  server.Stop(Milliseconds(0));
  client.tcp().ReadAll();
}

}  // namespace llm_router::test
