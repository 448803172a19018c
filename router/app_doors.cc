#include "router/app_doors.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"

namespace llm_router {
namespace {

HttpGatewayOptions HttpOptions(const Config& config, std::shared_ptr<Access> access, const ServerTls* tls,
                               Tracer* tracer) {
  HttpGatewayOptions options;
  options.host = config.listen.host;
  options.port = config.listen.http;
  options.tls = tls;
  options.max_body = static_cast<size_t>(config.limits.body);
  options.access = std::move(access);
  options.cors = config.http.cors;
  options.tracer = tracer;
  return options;
}

DoorFigures FiguresOf(const char* door, const DoorStats& stats) {
  DoorFigures figures;
  figures.door = door;
  figures.answered = stats.executed;
  figures.failed = stats.failed;
  figures.timeouts = stats.timeouts;
  figures.cancelled = stats.cancelled;
  figures.events_dropped = stats.events_dropped;
  figures.in_flight = stats.in_flight;
  figures.subscriptions = stats.subscriptions;
  return figures;
}

}  // namespace

absl::Status Doors::Open(Loop& loop, Broker& broker, const Config& config, std::shared_ptr<Access> access,
                         const ServerTls* tls, Tracer* tracer) {
  host_ = config.listen.host;
  KubemqServerOptions serving;
  serving.max_body = static_cast<size_t>(config.limits.body);
  serving.access = access;
  serving.tracer = tracer;
  kubemq_ = KubemqServer::Start(loop, broker, serving);
  KubemqDoorOptions options;
  options.host = config.listen.host;
  options.port = config.listen.grpc;
  options.tls = tls;
  ASSIGN_OR_RETURN(grpc_, KubemqDoor::Start(kubemq_, options));
  KubemqRestOptions plain;
  plain.host = config.listen.host;
  plain.port = config.listen.rest;
  plain.tls = tls;
  ASSIGN_OR_RETURN(rest_, KubemqRest::Start(kubemq_, plain));
  ASSIGN_OR_RETURN(http_, HttpGateway::Start(loop.executor(), broker,
                                             HttpOptions(config, std::move(access), tls, tracer)));
  return absl::OkStatus();
}

void Doors::MountAt(AdminDoor& admin) {
  admin.Mount([rest = rest_.get()](HttpRequest& request, HttpResponder& responder) {
    return rest->Answer(request, responder);
  });
}

std::string Doors::KubemqPorts() const {
  std::string ports;
  if (grpc_) ports += fmt::format(" grpc={}:{}", host_, grpc_->port());
  if (rest_) ports += fmt::format(" rest={}:{}", host_, rest_->port());
  return ports;
}

std::string Doors::HttpPort() const { return http_ ? fmt::format(" http={}:{}", host_, http_->port()) : ""; }

std::vector<DoorFigures> Doors::Figures() const {
  std::vector<DoorFigures> figures;
  if (grpc_) figures.push_back(FiguresOf("grpc", grpc_->stats()));
  if (rest_) figures.push_back(FiguresOf("rest", rest_->stats()));
  if (http_) figures.push_back(FiguresOf("http", http_->stats()));
  return figures;
}

void Doors::EndRevoked() {
  if (grpc_) grpc_->EndRevoked();
  if (rest_) rest_->EndRevoked();
  if (http_) http_->EndRevoked();
}

// At the same time, so that none takes more while another finishes. Remote workers answer by the gRPC door:
// it closes after that.
Awaitable<void> Doors::Stop(Executor executor, Milliseconds grace) {
  TaskGroup finishing(executor);
  if (http_) finishing.Spawn(http_->Stop(grace));
  if (kubemq_) finishing.Spawn(kubemq_->Stop(grace));
  co_await finishing.Join();
  if (grpc_) co_await grpc_->Stop();
  if (rest_) co_await rest_->Stop();
}

}  // namespace llm_router
