// What the calls of one REST door share. Owned by the door; loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "router/gateway/kubemq_access.h"
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
  std::map<WebSocket*, CallerPtr> sockets;  // whose they are; closed when the door stops
};

// A request and the way back.
struct RestCall {
  RestCall(RestState& call_state, HttpRequest& call_request, HttpResponder& call_responder,
           CallerPtr call_caller)
      : state(call_state), request(call_request), responder(call_responder), caller(std::move(call_caller)) {}

  RestState& state;
  HttpRequest& request;
  HttpResponder& responder;
  CallerPtr caller;  // whose it is; null only for what needs no key
};

// What the log calls the door.
inline constexpr std::string_view kRestDoor = "rest";

// Why the caller may not do what `message` (of a type that kubemq_access.h knows) asks for, if so. A refusal
// is counted and logged.
template <class Message>
absl::Status CheckNoted(const RestCall& call, const Message& message) {
  absl::Status allowed = CheckAccess(*call.caller, message);
  if (!allowed.ok()) call.state.server->access().NoteDenial(allowed, kRestDoor, call.request.remote);
  return allowed;
}

// Asks among the server's own tasks, so that it waits for what is under way when it stops. Gives up, by
// cancelling that, when the calling coroutine is cancelled: its client went away.
Awaitable<absl::StatusOr<kubemq::Response>> AskOfServer(RestState& state, Question question);

// Publishes a checked event, stored or not, that the caller may publish; the text to refuse it with, or
// nothing.
Awaitable<std::string> Publish(RestCall call, kubemq::Event event);

}  // namespace llm_router
