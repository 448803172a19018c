// An HttpSession whose connection becomes a WebSocket.
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/http_session.h"

namespace llm_router {

absl::StatusOr<WebSocket*> HttpSession::Upgrade(const HttpRequest& request, WebSocketOptions options) {
  if (sent_ != Sent::kNothing || websocket_) return MakeFault(Fault::kInternal, "a reply was sent already");
  if (!version_11_) return MakeFault(Fault::kInvalidRequest, "a WebSocket takes HTTP/1.1");
  ASSIGN_OR_RETURN(websocket_,
                   MakeWebSocket(request, options, context_.tasks, [this] { return GiveUpConnection(); }));
  return websocket_.get();
}

// Nothing may be under way on a stream that is moved: the watch, if any, is called off.
Awaitable<WebSocketSession::Connection> HttpSession::GiveUpConnection() {
  ++number_;
  sent_ = Sent::kAll;
  keep_alive_ = false;
  boost::system::error_code ignored;
  if (watching_) stream_.next_layer().cancel(ignored);
  co_await EndOfWatch();
  co_return WebSocketSession::Connection(std::move(stream_), std::exchange(unread_, {}));
}

Awaitable<void> HttpSession::FinishWebSocket() {
  co_await websocket_->Finish();
  broken_ = true;  // for HTTP
  phase_ = Phase::kLinger;
  if (!context_.stopping) co_await websocket_->Linger();
}

}  // namespace llm_router
