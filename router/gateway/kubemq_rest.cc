#include "router/gateway/kubemq_rest.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker_adapters/base/status.h"
#include "router/gateway/http_access.h"
#include "router/gateway/kubemq_rest_calls.h"
#include "router/gateway/kubemq_rest_queues.h"
#include "router/gateway/kubemq_rest_sockets.h"
#include "router/gateway/kubemq_rest_state.h"
#include "router/gateway/plain_model.h"
#include "router/gateway/rest_reply.h"

namespace llm_router {
namespace {

// How long replies under way may take to go out when the door stops.
constexpr auto kLastReplies = std::chrono::seconds(5);

struct Route {
  std::string_view method, path;
  Awaitable<void> (*handle)(RestCall call);
  bool needs_key = true;
};
constexpr std::array kRoutes = {
    Route{"GET", "/", rest_calls::Hello, /*needs_key=*/false},
    Route{"POST", "/model", AnswerPlainModel},
    Route{"GET", "/ping", rest_calls::Ping, /*needs_key=*/false},
    Route{"POST", "/queue/ack_all", rest_queues::AckAll},
    Route{"GET", "/queue/info", rest_queues::Info},
    Route{"POST", "/queue/receive", rest_queues::Receive},
    Route{"POST", "/queue/send", rest_queues::Send},
    Route{"POST", "/queue/send_batch", rest_queues::SendBatch},
    Route{"GET", "/queue/stream", rest_sockets::QueueStream},
    Route{"POST", "/send/event", rest_calls::SendEvent},
    Route{"POST", "/send/request", rest_calls::SendRequest},
    Route{"POST", "/send/response", rest_calls::SendResponse},
    Route{"GET", "/send/stream", rest_sockets::SendStream},
    Route{"GET", "/subscribe/events", rest_sockets::SubscribeEvents},
    Route{"GET", "/subscribe/requests", rest_sockets::SubscribeRequests},
};

HttpServerOptions ServerOptions(const KubemqRestOptions& options, size_t max_body) {
  HttpServerOptions serving;
  serving.host = options.host;
  serving.port = options.port;
  serving.tls = options.tls;
  serving.max_connections = options.max_connections;
  serving.body_limit = RestBodyLimit(max_body);
  serving.body_limit_setting = "limits.body";
  return serving;
}

class RestDoor final : public KubemqRest {
 public:
  RestDoor(std::shared_ptr<KubemqServer> server, KubemqRestOptions options)
      : state_(std::move(server), std::move(options)) {}

  absl::Status Listen() {
    auto listening = HttpServer::Listen(
        state_.server->loop().executor(), ServerOptions(state_.options, state_.server->options().max_body),
        [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
    if (!listening.ok()) return listening.status();
    http_ = *std::move(listening);
    return absl::OkStatus();
  }

  int port() const override { return http_->port(); }
  DoorStats stats() const override { return state_.stats; }

  Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) override {
    const Route* of_path = nullptr;
    for (const Route& route : kRoutes) {
      if (route.path != request.path) continue;
      of_path = &route;
      if (route.method == request.method) co_return co_await Admit(route, request, responder);
    }
    (void)co_await responder.Send(of_path == nullptr ? rest_reply::NotFound()
                                                     : rest_reply::MethodNotAllowed(of_path->method));
  }

  void EndRevoked() override {
    for (const auto& [socket, caller] : state_.sockets) {
      if (!state_.server->access().StillHolds(*caller))
        socket->Close(WebSocketClose::kRefused, std::string(MessageOf(KeyRevoked())));
    }
  }

  Awaitable<void> Stop() override {
    for (const auto& [socket, caller] : state_.sockets) {
      socket->Close(WebSocketClose::kGoingAway, "the server is shutting down");
    }
    co_await http_->Stop(kLastReplies);
  }

 private:
  Awaitable<void> Admit(const Route& route, HttpRequest& request, HttpResponder& responder) {
    Access& access = state_.server->access();
    const std::string_view presented = PresentedKey(request.headers);
    CallerPtr caller;
    if (route.needs_key || !presented.empty()) {
      auto known = access.Authenticate(presented);
      if (!known.ok()) {
        access.NoteDenial(known.status(), kRestDoor, request.remote);
        (void)co_await responder.Send(rest_reply::Denial(known.status()));
        co_return;
      }
      caller = *std::move(known);
    }
    co_await route.handle(RestCall(state_, request, responder, std::move(caller)));
  }

  RestState state_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KubemqRest>> KubemqRest::Start(std::shared_ptr<KubemqServer> server,
                                                              KubemqRestOptions options) {
  auto door = std::make_unique<RestDoor>(std::move(server), std::move(options));
  absl::Status listening = door->Listen();
  if (!listening.ok()) return Annotate(std::move(listening), "listen.rest");
  return door;
}

}  // namespace llm_router
