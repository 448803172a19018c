// One WebSocket of the KubeMQ REST door: from a call to a socket that is in the door's books. Loop thread.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/kubemq_rest_sockets.h"

namespace llm_router::rest_sockets {

Awaitable<void> Refuse(RestCall call, int status, std::string message);
Awaitable<void> RefuseUpgrade(RestCall call, absl::Status why);

WebSocketMessage JsonMessage(const google::protobuf::Message& message);

// Not accepted yet; lives as long as the call. `queued_messages`: those that may wait to be written.
absl::StatusOr<WebSocket*> Upgrade(RestCall call, size_t queued_messages);

// Until the other side is gone; what it says meanwhile is passed over.
Awaitable<void> Stay(WebSocket& socket);

// Keeps a WebSocket in the door's books while it lives.
class Open {
 public:
  Open(const RestCall& call, WebSocket* socket) : state_(call.state), socket_(socket) {
    state_.sockets.emplace(socket_, call.caller);
    ++state_.stats.subscriptions;
  }
  ~Open() {
    state_.sockets.erase(socket_);
    --state_.stats.subscriptions;
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

 private:
  RestState& state_;
  WebSocket* const socket_;
};

}  // namespace llm_router::rest_sockets
