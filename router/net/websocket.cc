#include "router/net/websocket.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/websocket_session.h"

namespace llm_router {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Handshake = http::request<http::empty_body>;

boost::beast::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Gone() { return MakeFault(Fault::kCancelled, "the other side of the WebSocket is gone"); }

// A stream that first yields what was read from it already.
class UpgradedStream {
 public:
  using executor_type = Executor;
  using next_layer_type = HttpStream;

  explicit UpgradedStream(WebSocketSession::Connection connection)
      : stream_(std::move(connection.stream)), unread_(std::move(connection.unread)) {}

  executor_type get_executor() { return stream_.get_executor(); }
  next_layer_type& next_layer() { return stream_; }
  const next_layer_type& next_layer() const { return stream_; }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (unread_.empty()) return stream_.async_read_some(buffers, std::forward<Handler>(handler));
    const size_t count = boost::asio::buffer_copy(buffers, boost::asio::buffer(unread_));
    unread_.erase(0, count);
    boost::asio::post(get_executor(),
                      boost::beast::bind_handler(std::forward<Handler>(handler), error_code(), count));
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    stream_.async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  HttpStream stream_;
  std::string unread_;
};

// Found by Beast when a closing handshake is over. The end of the stream beneath is Linger's, when nothing
// depends on this connection any more.
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, UpgradedStream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(),
                    boost::beast::bind_handler(std::forward<Handler>(handler), error_code()));
}

using Stream = websocket::stream<UpgradedStream, false>;

class BeastWebSocket final : public WebSocketSession, public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(Handshake handshake, WebSocketOptions options, TaskGroup& tasks, Take take)
      : handshake_(std::move(handshake)),
        options_(options),
        tasks_(tasks),
        take_(std::move(take)),
        news_(tasks.executor(), TimePoint::max()),
        room_(tasks.executor(), TimePoint::max()),
        ended_(tasks.executor()) {}

  Awaitable<absl::Status> Accept() override;
  Awaitable<absl::StatusOr<WebSocketMessage>> Receive() override;
  bool TrySend(WebSocketMessage message) override;
  Awaitable<absl::Status> Send(WebSocketMessage message) override;
  void Close(WebSocketClose code, std::string reason) override;

  bool accepted() const override { return stream_.has_value(); }
  Awaitable<void> Finish() override;
  Awaitable<void> Linger() override;
  void Expire(TimePoint now) override;
  void Cut() override;

 private:
  static Awaitable<void> Write(std::shared_ptr<BeastWebSocket> self);
  Awaitable<bool> WriteNext();
  void Configure();
  bool HasRoom(size_t bytes) const;
  void End();

  Handshake handshake_;
  const WebSocketOptions options_;
  TaskGroup& tasks_;
  Take take_;
  std::optional<Stream> stream_;
  std::deque<WebSocketMessage> queue_;
  size_t queued_bytes_ = 0;
  Timer news_;  // cancelled when the writer has something to do
  Timer room_;  // cancelled when the queue got shorter
  OneShot<bool> ended_;
  std::optional<websocket::close_reason> closing_;
  bool over_ = false;                   // nothing more can be sent or received
  TimePoint limit_ = TimePoint::max();  // when what is under way has taken too long
};

void BeastWebSocket::Configure() {
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = options_.close_timeout;
  timeout.idle_timeout = options_.idle_timeout;
  timeout.keep_alive_pings = true;
  stream_->set_option(timeout);
  stream_->read_message_max(options_.message_limit);
  stream_->auto_fragment(false);
}

Awaitable<absl::Status> BeastWebSocket::Accept() {
  if (over_ || co_await Cancelled()) co_return Gone();
  stream_.emplace(co_await take_());
  Configure();
  const auto [error] = co_await stream_->async_accept(handshake_, kUseTuple);
  if (error) {
    Cut();
    co_return Gone();
  }
  tasks_.Spawn(Write(shared_from_this()));
  co_return absl::OkStatus();
}

// What comes after our own close frame is passed over until the other side's.
Awaitable<absl::StatusOr<WebSocketMessage>> BeastWebSocket::Receive() {
  while (!over_ && !co_await Cancelled()) {
    WebSocketMessage message;
    auto into = boost::asio::dynamic_buffer(message.data);
    const auto [error, count] = co_await stream_->async_read(into, kUseTuple);
    if (error) break;
    message.is_text = stream_->got_text();
    if (!closing_) co_return message;
  }
  // Our own close frame, if one is under way, has its time.
  if (!closing_) End();
  co_return Gone();
}

bool BeastWebSocket::HasRoom(size_t bytes) const {
  if (queue_.empty()) return true;
  return queue_.size() < options_.queued_messages && queued_bytes_ + bytes <= options_.queued_bytes;
}

bool BeastWebSocket::TrySend(WebSocketMessage message) {
  if (over_ || closing_ || !HasRoom(message.data.size())) return false;
  queued_bytes_ += message.data.size();
  queue_.push_back(std::move(message));
  news_.cancel();
  return true;
}

Awaitable<absl::Status> BeastWebSocket::Send(WebSocketMessage message) {
  while (!over_ && !closing_ && !HasRoom(message.data.size()) && !co_await Cancelled()) {
    room_.expires_at(TimePoint::max());
    (void)co_await room_.async_wait(kUseTuple);
  }
  if (co_await Cancelled() || !TrySend(std::move(message))) co_return Gone();
  co_return absl::OkStatus();
}

void BeastWebSocket::Close(WebSocketClose code, std::string reason) {
  if (over_ || closing_) return;
  closing_ = websocket::close_reason(static_cast<websocket::close_code>(code), View(reason));
  news_.cancel();
  room_.cancel();
}

// The one coroutine that writes: what is queued, and the close frame at the end.
Awaitable<void> BeastWebSocket::Write(std::shared_ptr<BeastWebSocket> self) {
  while (co_await self->WriteNext()) {
  }
  if (!self->over_ && !co_await Cancelled()) {
    (void)co_await self->stream_->async_close(*self->closing_, kUseTuple);
  }
  self->End();
  self->ended_.Set(true);
}

// False when there is nothing left to write but a close frame, or not even that.
Awaitable<bool> BeastWebSocket::WriteNext() {
  while (queue_.empty() && !over_ && !closing_ && !co_await Cancelled()) {
    news_.expires_at(TimePoint::max());
    (void)co_await news_.async_wait(kUseTuple);
  }
  if (queue_.empty() || over_ || co_await Cancelled()) co_return false;
  const WebSocketMessage message = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= message.data.size();
  room_.cancel();
  limit_ = Now() + options_.write_timeout;
  stream_->text(message.is_text);
  const auto [error, count] = co_await stream_->async_write(boost::asio::buffer(message.data), kUseTuple);
  limit_ = TimePoint::max();
  if (error) Cut();
  if (!error && message.written) message.written();
  co_return !error;
}

Awaitable<void> BeastWebSocket::Finish() {
  if (!stream_) co_return;
  Close(WebSocketClose::kNormal, "");
  if (!ended_.is_set()) (void)co_await ended_.Wait(TimePoint::max());
}

// Closing with unread bytes would be a reset, which can overtake the close frame: so the client closes first,
// if it does so in time.
Awaitable<void> BeastWebSocket::Linger() {
  limit_ = Now() + options_.close_timeout;
  HttpStream& stream = stream_->next_layer().next_layer();
  HttpSocket& socket = stream.next_layer();
  if (socket.is_open()) co_await stream.ShutDown();
  std::array<char, 4096> bytes{};
  while (socket.is_open() && !co_await Cancelled()) {
    const auto [error, count] = co_await socket.async_read_some(boost::asio::buffer(bytes), kUseTuple);
    if (error) co_return;
  }
}

void BeastWebSocket::Expire(TimePoint now) {
  if (now >= limit_) Cut();
}

void BeastWebSocket::End() {
  over_ = true;
  news_.cancel();
  room_.cancel();
}

void BeastWebSocket::Cut() {
  End();
  if (!stream_) return;
  error_code ignored;
  stream_->next_layer().next_layer().next_layer().close(ignored);
}

}  // namespace

absl::StatusOr<std::shared_ptr<WebSocketSession>> MakeWebSocket(const HttpRequest& request,
                                                                WebSocketOptions options, TaskGroup& tasks,
                                                                WebSocketSession::Take take) {
  Handshake handshake;
  handshake.version(11);
  handshake.method_string(View(request.method));
  handshake.target(View(request.path));
  for (const auto& [name, value] : request.headers) handshake.insert(View(name), View(value));
  if (!websocket::is_upgrade(handshake) || HeaderOr(request.headers, "sec-websocket-version") != "13") {
    return MakeFault(Fault::kInvalidRequest,
                     "this is a WebSocket: send the headers Connection: Upgrade, Upgrade: websocket and "
                     "Sec-WebSocket-Version: 13");
  }
  return std::make_shared<BeastWebSocket>(std::move(handshake), options, tasks, std::move(take));
}

}  // namespace llm_router
