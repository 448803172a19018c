// GatewayCall: one request to the HTTP gateway and the way back, and GatewayState: what all of a door's calls
// share.
//
// Owned by the door, which keeps a call until its handler has ended. Loop thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/reply_streams.h"
#include "router/gateway/door_span.h"
#include "router/gateway/http_catalogue.h"
#include "router/gateway/http_cors.h"
#include "router/gateway/http_gateway.h"
#include "router/net/http_server.h"
#include "router/roster/roster.h"

namespace llm_router {

// What the log calls the door.
inline constexpr std::string_view kHttpDoor = "http";

struct GatewayState {
  GatewayState(Executor loop_executor, Broker& engine, HttpGatewayOptions door_options)
      : executor(loop_executor),
        broker(engine),
        options(std::move(door_options)),
        cors(options.cors),
        roster(engine, loop_executor),
        catalogue(roster),
        streams(loop_executor, engine),
        sockets_tasks(loop_executor) {}

  Executor executor;
  Broker& broker;
  const HttpGatewayOptions options;
  const HttpCors cors;
  const TimePoint born = Now();
  Roster roster;
  HttpCatalogue catalogue;
  ReplyStreams streams;
  TaskGroup sockets_tasks;  // requests of WebSockets
  DoorStats stats;
  bool stopping = false;
  std::map<WebSocket*, CallerPtr> sockets;  // whose they are; closed when the door stops
  size_t bytes_in_flight = 0;
};

struct GatewayCall;

struct GatewayEndpoint {
  std::string_view method;
  std::string_view path;     // {} in it stands for an id
  std::string_view dialect;  // whose errors its callers know
  Awaitable<void> (*handle)(GatewayCall& call);
};

struct GatewayCall {
  GatewayCall(GatewayState& call_state, HttpRequest& call_request, HttpResponder& call_responder)
      : state(call_state), request(call_request), responder(call_responder) {}

  GatewayState& state;
  HttpRequest& request;
  HttpResponder& responder;
  const GatewayEndpoint* endpoint = nullptr;
  std::string id;            // what stood for {} in the path
  std::string_view dialect;  // whose errors its caller knows
  CallerPtr caller;          // whose it is
  std::string request_id;
  std::string model;  // as it was asked for; empty: none was
  const TimePoint began = Now();
  DoorSpan span;  // of a query
};

}  // namespace llm_router
