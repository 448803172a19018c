// WebSocketSession: a WebSocket as the HttpSession sees it, whose connection it takes over. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker_adapters/base/task_group.h"
#include "router/net/http_message.h"
#include "router/net/http_stream.h"
#include "router/net/websocket.h"

namespace llm_router {

class WebSocketSession : public WebSocket {
 public:
  // A connection, and what was read from it already.
  struct Connection {
    Connection(HttpStream its_stream, std::string its_unread)
        : stream(std::move(its_stream)), unread(std::move(its_unread)) {}

    HttpStream stream;
    std::string unread;
  };
  using Take = std::function<Awaitable<Connection>()>;

  // Whether the connection was taken over.
  virtual bool accepted() const = 0;
  // The handler is done: sends what is queued, and closes by handshake.
  virtual Awaitable<void> Finish() = 0;
  // Then: waits for the other side to close the connection.
  virtual Awaitable<void> Linger() = 0;
  // Cuts the connection when its other side is too slow; or at once.
  virtual void Expire(TimePoint now) = 0;
  virtual void Cut() = 0;
};

// Fault invalid_request when `request` is no WebSocket handshake (version 13). `take` is called once, by
// Accept. What runs beside the handler runs in `tasks`. Shared by the session and by that.
absl::StatusOr<std::shared_ptr<WebSocketSession>> MakeWebSocket(const HttpRequest& request,
                                                                WebSocketOptions options, TaskGroup& tasks,
                                                                WebSocketSession::Take take);

}  // namespace llm_router
