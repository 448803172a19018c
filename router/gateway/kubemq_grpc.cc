#include "router/gateway/kubemq_grpc.h"

#include <fmt/format.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <thread>
#include <utility>

#include "broker_adapters/kubemq/grpc_setup.h"
#include "proto/fault.h"
#include "router/gateway/grpc_tls.h"
#include "router/gateway/kubemq_grpc_service.h"
#include "router/gateway/kubemq_grpc_stream.h"
#include "router/gateway/queues_grpc.h"
#include "router/gateway/workers_grpc.h"

namespace llm_router {
namespace {

constexpr int kMaxMessage = 100 * 1024 * 1024;
constexpr int kMaxStreamsOfConnection = 10'000;
constexpr size_t kMostBuffered = size_t{2} * 1024 * 1024 * 1024;
constexpr auto kCutPatience = std::chrono::seconds(2);

std::string Address(const KubemqDoorOptions& options) {
  const bool is_ipv6 = options.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", options.host, options.port)
                 : fmt::format("{}:{}", options.host, options.port);
}

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.SetMaxSendMessageSize(kMaxMessage);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsOfConnection);
  // Of messages that are not yet whole, and of those that are not yet taken: beyond it gRPC cuts off who sent
  // them.
  builder.SetResourceQuota(grpc::ResourceQuota("door").Resize(kMostBuffered));
  // Two servers on one port would each get some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // SDKs ping every 10 s, some every 5 s, with and without calls; gRPC by itself takes that for abuse.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 4'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Our own pings find subscribers whose machine is gone.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
}

class Door final : public KubemqDoor {
 public:
  Door(std::shared_ptr<KubemqServer> server, KubemqDoorOptions options)
      : state_(std::make_shared<DoorState>(std::move(server), std::move(options))),
        service_(state_),
        workers_(state_),
        queues_(state_) {}

  bool Listen();
  int port() const override { return port_; }
  DoorStats stats() const override { return state_->stats; }
  void EndRevoked() override;
  Awaitable<void> Stop() override;

 private:
  Awaitable<void> CloseServer();

  std::shared_ptr<DoorState> state_;  // calls hold it too
  KubemqService service_;
  WorkersService workers_;
  QueuesService queues_;
  std::shared_ptr<grpc::ServerCredentials>
      credentials_;  // shared, as gRPC takes them; asked while server_ lives
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

bool Door::Listen() {
  SetUpGrpc();
  if (state_->options.tls != nullptr) TellFailedHandshakes();
  grpc::ServerBuilder builder;
  SetLimits(builder);
  credentials_ = GrpcCredentials(state_->options.tls);
  builder.AddListeningPort(Address(state_->options), credentials_, &port_);
  builder.RegisterService(&service_);
  if (state_->server->options().announce) {
    builder.RegisterService(&workers_);
    builder.RegisterService(&queues_);
  }
  server_ = builder.BuildAndStart();
  return server_ && port_ != 0;
}

void Door::EndRevoked() {
  for (const auto& stream : state_->Streams()) {
    if (!state_->server->access().StillHolds(*stream->caller)) stream->End(Refusal(KeyRevoked()));
  }
}

Awaitable<void> Door::Stop() {
  if (!server_) co_return;
  state_->tasks.Cancel();
  co_await state_->tasks.Join();
  for (const auto& stream : state_->Streams())
    stream->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
  co_await CloseServer();
}

// Shutdown waits for calls to end, and they end on this loop: so it waits on a thread of its own. Here it is
// waited for even in a cancelled coroutine.
Awaitable<void> Door::CloseServer() {
  Timer closed(state_->loop.executor(), TimePoint::max());
  bool is_closed = false;
  std::thread closer([&] {
    server_->Shutdown(std::chrono::system_clock::now() + kCutPatience);
    state_->loop.Post([&] {
      is_closed = true;
      closed.cancel();
    });
  });
  while (!is_closed) (void)co_await closed.async_wait(kUseTuple);
  closer.join();
  server_.reset();
}

}  // namespace

absl::StatusOr<std::unique_ptr<KubemqDoor>> KubemqDoor::Start(std::shared_ptr<KubemqServer> server,
                                                              KubemqDoorOptions options) {
  const std::string address = Address(options);
  auto door = std::make_unique<Door>(std::move(server), std::move(options));
  if (door->Listen()) return door;
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("cannot listen on {}: is another server running there? Stop it, or choose "
                               "another port with --set listen.grpc=PORT",
                               address));
}

}  // namespace llm_router
