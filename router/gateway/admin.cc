#include "router/gateway/admin.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/aside.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/gateway/access_rules.h"
#include "router/gateway/http_access.h"

namespace llm_router {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

HttpResponse Respond(int status, std::string_view type, std::string body) {
  return HttpResponse(status, {{"content-type", std::string(type)}}, std::move(body));
}

class HttpAdminDoor final : public AdminDoor {
 public:
  HttpAdminDoor(Executor executor, Metrics& metrics, std::shared_ptr<Access> access)
      : metrics_(metrics), access_(std::move(access)), writer_(executor) {}

  absl::Status Listen(Executor executor, const std::string& host, int port, const ServerTls* tls,
                      size_t body_limit) {
    HttpServerOptions options;
    options.tls = tls;
    options.host = host;
    options.port = port;
    options.body_limit = body_limit;
    options.body_limit_setting = "limits.body";
    auto server = HttpServer::Listen(
        executor, options,
        [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  int port() const override { return server_->port(); }
  void Mount(HttpHandler other) override { other_ = std::move(other); }
  void SetReady(bool ready) override { ready_ = ready; }
  Awaitable<void> Stop() override {
    co_await server_->Stop(std::chrono::seconds(1));
    co_await writer_.Stop();
  }

 private:
  static bool IsOwn(std::string_view path) {
    return path == "/health" || path == "/ready" || path == "/metrics";
  }

  Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) {
    if (other_ && !IsOwn(request.path)) co_return co_await other_(request, responder);
    if (request.path == "/metrics" && request.method == "GET") {
      const HttpResponse metrics = co_await MetricsFor(request);
      co_return (void) co_await responder.Send(metrics);
    }
    (void)co_await responder.Send(ResponseTo(request));
  }

  HttpResponse ResponseTo(const HttpRequest& request) const {
    if (!IsOwn(request.path))
      return Respond(404, kText, "not found: there are /health, /ready and /metrics\n");
    if (request.method != "GET") return Respond(405, kText, "method not allowed: use GET\n");
    if (request.path == "/health") return Respond(200, kText, "healthy");
    return Respond(
        ready_ ? 200 : 503, "application/json",
        ready_ ? R"({"is_healthy":true,"is_ready":true})" : R"({"is_healthy":true,"is_ready":false})");
  }

  Awaitable<HttpResponse> MetricsFor(const HttpRequest& request) {
    const absl::Status allowed = CheckReader(request);
    if (allowed.ok()) {
      metrics_.doors().Look();
      auto text = co_await writer_.Run<std::string>([this] { return metrics_.Text(); });
      co_return Respond(200, kMetricsText, std::move(text).value_or(""));
    }
    access_->NoteDenial(allowed, "admin", request.remote);
    HttpResponse refusal =
        Respond(RowOf(FaultOf(allowed)).http, kText, fmt::format("{}\n", MessageOf(allowed)));
    if (refusal.status == 401) refusal.headers.emplace_back("www-authenticate", "Bearer");
    co_return refusal;
  }

  absl::Status CheckReader(const HttpRequest& request) const {
    ASSIGN_OR_RETURN(const CallerPtr caller, access_->Authenticate(PresentedKey(request.headers)));
    return CheckAccess(*caller, Verb::kReadMetrics);
  }

  Metrics& metrics_;
  HttpHandler other_;
  const std::shared_ptr<Access> access_;  // shared with the other doors
  bool ready_ = false;
  Aside writer_;  // of metrics
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminDoor>> AdminDoor::Start(Executor executor, const std::string& host,
                                                            int port, Metrics& metrics,
                                                            std::shared_ptr<Access> access,
                                                            const ServerTls* tls, size_t body_limit) {
  auto door = std::make_unique<HttpAdminDoor>(executor, metrics, std::move(access));
  absl::Status listening = door->Listen(executor, host, port, tls, body_limit);
  if (!listening.ok()) return Annotate(std::move(listening), "listen.admin");
  return door;
}

}  // namespace llm_router
