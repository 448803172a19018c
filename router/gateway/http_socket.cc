#include "router/gateway/http_socket.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_conversation.h"

namespace llm_router {
namespace {

constexpr size_t kMostOverhead = 1024 * 1024;  // bytes of a message beside a body

}  // namespace

Awaitable<void> OpenSocket(GatewayCall& call) {
  GatewayState& state = call.state;
  WebSocketOptions options;
  options.message_limit = state.options.max_body + kMostOverhead;
  options.idle_timeout = state.options.websocket_idle;
  const auto socket = call.responder.Upgrade(call.request, options);
  if (!socket.ok()) co_return co_await SendFailure(call, socket.status());
  // Before its client hears of it: from then on it may be closed by us.
  state.sockets.emplace(*socket, call.caller);
  ++state.stats.subscriptions;
  const auto conversation =
      std::make_shared<HttpConversation>(state, call.caller, **socket, call.request.remote);
  if ((co_await (*socket)->Accept()).ok()) co_await conversation->Listen();
  --state.stats.subscriptions;
  state.sockets.erase(*socket);
}

}  // namespace llm_router
