#include "router/gateway/kubemq_rest_socket.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/gateway/http_access.h"
#include "router/gateway/kubemq_json.h"
#include "router/gateway/rest_reply.h"

namespace llm_router::rest_sockets {
Awaitable<void> Refuse(RestCall call, int status, std::string message) {
  (void)co_await call.responder.Send(rest_reply::Error(status, message));
}

WebSocketMessage JsonMessage(const google::protobuf::Message& message) {
  return WebSocketMessage(WriteKubemqJson(message));
}

absl::StatusOr<WebSocket*> Upgrade(RestCall call, size_t queued_messages) {
  if (call.state.server->refusing()) return absl::UnavailableError(rest_reply::kStopping.data());
  if (IsForeignPage(call.request.headers)) {
    return MakeFault(Fault::kInvalidRequest, "a page of another origin may not open a WebSocket here");
  }
  WebSocketOptions options;
  options.message_limit = RestBodyLimit(call.state.server->options().max_body);
  options.queued_messages = queued_messages;
  options.idle_timeout = call.state.options.websocket_idle;
  return call.responder.Upgrade(call.request, options);
}

Awaitable<void> RefuseUpgrade(RestCall call, absl::Status why) {
  const int status = absl::IsUnavailable(why) ? 503 : 400;
  co_await Refuse(call, status, std::string(MessageOf(why)));
}

Awaitable<void> Stay(WebSocket& socket) {
  while ((co_await socket.Receive()).ok()) {
  }
}

}  // namespace llm_router::rest_sockets
