#include "router/gateway/admin.h"

#include "broker_adapters/base/status.h"
#include "router/net/http_server.h"

namespace llm_router {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

HttpResponse Respond(int status, std::string_view type, std::string body) {
  return HttpResponse(status, {{"content-type", std::string(type)}}, std::move(body));
}

class HttpAdminDoor final : public AdminDoor {
 public:
  explicit HttpAdminDoor(const Metrics& metrics) : metrics_(metrics) {}

  absl::Status Listen(Executor executor, const std::string& host, int port, const ServerTls* tls) {
    HttpServerOptions options;
    options.tls = tls;
    options.host = host;
    options.port = port;
    options.body_limit = 64 * 1024;
    auto server = HttpServer::Listen(
        executor, options,
        [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  int port() const override { return server_->port(); }
  void SetReady(bool ready) override { ready_ = ready; }
  Awaitable<void> Stop() override { co_await server_->Stop(std::chrono::seconds(1)); }

 private:
  Awaitable<void> Answer(const HttpRequest& request, HttpResponder& responder) {
    (void)co_await responder.Send(ResponseTo(request));
  }

  HttpResponse ResponseTo(const HttpRequest& request) const {
    const bool known = request.path == "/health" || request.path == "/ready" || request.path == "/metrics";
    if (!known) return Respond(404, kText, "not found: there are /health, /ready and /metrics\n");
    if (request.method != "GET") return Respond(405, kText, "method not allowed: use GET\n");
    if (request.path == "/metrics") return Respond(200, kMetricsText, metrics_.Text());
    if (request.path == "/health") return Respond(200, kText, "healthy");
    return Respond(
        ready_ ? 200 : 503, "application/json",
        ready_ ? R"({"is_healthy":true,"is_ready":true})" : R"({"is_healthy":true,"is_ready":false})");
  }

  const Metrics& metrics_;
  bool ready_ = false;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminDoor>> AdminDoor::Start(Executor executor, const std::string& host,
                                                            int port, const Metrics& metrics,
                                                            const ServerTls* tls) {
  auto door = std::make_unique<HttpAdminDoor>(metrics);
  absl::Status listening = door->Listen(executor, host, port, tls);
  if (!listening.ok()) return Annotate(std::move(listening), "listen.admin");
  return door;
}

}  // namespace llm_router
