// What the calls of one REST door share. Owned by the door; loop thread only.
#pragma once

#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "router/gateway/kubemq_asker.h"
#include "router/gateway/kubemq_rest.h"
#include "router/net/http_server.h"

namespace llm_router {

struct RestState {
  RestState(std::shared_ptr<KubemqServer> door_server, KubemqRestOptions door_options)
      : server(std::move(door_server)), options(std::move(door_options)), asker(*server, stats) {}

  const std::shared_ptr<KubemqServer> server;
  const KubemqRestOptions options;
  DoorStats stats;
  KubemqAsker asker;
  std::set<WebSocket*> sockets;  // closed when the door stops
};

// A request and the way back.
struct RestCall {
  RestCall(RestState& call_state, HttpRequest& call_request, HttpResponder& call_responder)
      : state(call_state), request(call_request), responder(call_responder) {}

  RestState& state;
  HttpRequest& request;
  HttpResponder& responder;
};

// Asks among the server's own tasks, so that it waits for what is under way when it stops. Gives up, by
// cancelling that, when the calling coroutine is cancelled: its client went away.
Awaitable<absl::StatusOr<kubemq::Response>> AskOfServer(RestState& state, Question question);

}  // namespace llm_router
