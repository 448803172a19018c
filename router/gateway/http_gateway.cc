#include "router/gateway/http_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/file.h"
#include "router/gateway/http_access.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_call.h"
#include "router/gateway/http_endpoints.h"
#include "router/gateway/http_files.h"
#include "router/gateway/http_page.h"
#include "router/gateway/http_query.h"

namespace llm_router {
namespace {

constexpr size_t kMostUpload = static_cast<size_t>(contract::kMostFileBytes) + kMostFormOverhead;
constexpr size_t kMaxBytesInFlight = size_t{2} * 1024 * 1024 * 1024;

// A request's bytes while it is under way.
class InFlight {
 public:
  InFlight(GatewayState& state, size_t bytes) : state_(state), bytes_(bytes) {
    ++state_.stats.in_flight;
    state_.bytes_in_flight += bytes_;
  }
  ~InFlight() {
    --state_.stats.in_flight;
    state_.bytes_in_flight -= bytes_;
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  bool is_too_much() const { return state_.bytes_in_flight > kMaxBytesInFlight; }

 private:
  GatewayState& state_;
  const size_t bytes_;
};

class Door final : public HttpGateway {
 public:
  Door(Executor executor, Broker& broker, HttpGatewayOptions options)
      : state_(executor, broker, std::move(options)) {}

  absl::Status Listen() {
    HttpServerOptions serving;
    serving.host = state_.options.host;
    serving.port = state_.options.port;
    serving.tls = state_.options.tls;
    serving.max_connections = state_.options.max_connections;
    serving.body_limit = state_.options.max_body;
    serving.body_limit_setting = "limits.body";
    serving.most_body_limit = kMostUpload;
    serving.body_limit_of = [this](const HttpRequest& head) { return BodyLimit(head); };
    auto http = HttpServer::Listen(
        state_.executor, serving,
        [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
    if (!http.ok()) return http.status();
    http_ = *std::move(http);
    state_.roster.Start();
    return absl::OkStatus();
  }

  int port() const override { return http_->port(); }
  DoorStats stats() const override { return state_.stats; }

  void EndRevoked() override {
    for (const auto& [socket, caller] : state_.sockets) {
      if (!state_.options.access->StillHolds(*caller))
        socket->Close(WebSocketClose::kRefused, std::string(MessageOf(KeyRevoked())));
    }
  }

  Awaitable<void> Stop(Milliseconds grace) override {
    state_.stopping = true;
    for (const auto& [socket, caller] : state_.sockets)
      socket->Close(WebSocketClose::kGoingAway, "the server is shutting down");
    co_await http_->Stop(grace);
    state_.sockets_tasks.Cancel();
    co_await state_.sockets_tasks.Join();
    co_await state_.streams.Stop();
    co_await state_.roster.Stop();
  }

 private:
  // Who may come in at all may upload a file.
  size_t BodyLimit(const HttpRequest& head) const {
    const bool uploads = head.method == "POST" && head.path == "/v1/files" &&
                         state_.options.access->Authenticate(PresentedKey(head.headers)).ok();
    if (!uploads) return state_.options.max_body;
    return std::max(state_.options.max_body, kMostUpload);
  }

  Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) {
    GatewayCall call(state_, request, responder);
    const FoundEndpoint found = FindEndpoint(request.method, request.path);
    call.endpoint = found.endpoint;
    call.request_id = RequestIdOf(request.headers);
    call.dialect = DialectOf(call);
    if (request.method == "OPTIONS" && state_.cors.is_on()) {
      (void)co_await responder.Send(state_.cors.Preflight(request));
      co_return;
    }
    const InFlight in_flight(state_, request.body.size());
    absl::Status admitted = Admit(call, in_flight);
    if (admitted.ok() && call.endpoint == nullptr) co_return co_await SendUnknown(call, found);
    if (!admitted.ok()) co_return co_await SendFailure(call, admitted);
    auto id = UnescapedPath(found.id);
    if (!id.ok()) co_return co_await SendFailure(call, id.status());
    call.id = *std::move(id);
    co_await call.endpoint->handle(call);
  }

  static std::string_view DialectOf(const GatewayCall& call) {
    if (call.endpoint != nullptr && !call.endpoint->dialect.empty()) return call.endpoint->dialect;
    const bool anthropic = !HeaderOr(call.request.headers, "anthropic-version").empty();
    return anthropic ? contract::dialect::kAnthropicMessages : contract::dialect::kOpenAiChat;
  }

  absl::Status Admit(GatewayCall& call, const InFlight& in_flight) {
    absl::Status admitted = CheckCaller(call);
    if (!admitted.ok()) state_.options.access->NoteDenial(admitted, kHttpDoor, call.request.remote);
    if (admitted.ok() && state_.stopping) admitted = DoorCloses();
    if (admitted.ok() && in_flight.is_too_much())
      admitted = MakeFault(Fault::kOverloaded, "too many requests are under way: ask again later");
    return admitted;
  }

  absl::Status CheckCaller(GatewayCall& call) {
    if (!state_.cors.Admits(call.request.headers)) {
      return MakeFault(Fault::kPermissionDenied,
                       "web pages of this origin may not call: add it to the setting http.cors");
    }
    ASSIGN_OR_RETURN(call.caller, state_.options.access->Authenticate(PresentedKey(call.request.headers)));
    return absl::OkStatus();
  }

  // No path, or no method of ours.
  static Awaitable<void> SendUnknown(GatewayCall& call, const FoundEndpoint& found) {
    const std::string asked = fmt::format("{} {}", call.request.method, Excerpt(call.request.path));
    const bool has_path = !found.allowed.empty();
    const absl::Status why = MakeFault(
        Fault::kInvalidRequest,
        has_path ? fmt::format("{} is not served: the methods of this path are {}", asked, found.allowed)
                 : fmt::format("{} is not served: a base URL ends with /v1 for OpenAI's SDKs, and without it "
                               "for Anthropic's",
                               asked));
    HttpHeaders headers;
    if (has_path) headers.emplace_back("allow", found.allowed);
    co_await SendJson(call, has_path ? 405 : 404, FailureBody(call, why), std::move(headers));
  }

  GatewayState state_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpGateway>> HttpGateway::Start(Executor executor, Broker& broker,
                                                                HttpGatewayOptions options) {
  auto door = std::make_unique<Door>(executor, broker, std::move(options));
  absl::Status listening = door->Listen();
  if (!listening.ok()) return Annotate(std::move(listening), "listen.http");
  return door;
}

}  // namespace llm_router
