#include "broker_adapters/kubemq/connection.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string_view>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/kubemq/grpc_setup.h"
#include "broker_adapters/kubemq/unreachable.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

constexpr int kMaxMessage = 100 * 1024 * 1024;

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const KubemqOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions pem;
  pem.pem_root_certs = options.tls->ca;
  pem.pem_cert_chain = options.tls->cert;
  pem.pem_private_key = std::string(options.tls->cert_key.Reveal());
  return grpc::SslCredentials(pem);
}

std::shared_ptr<grpc::Channel> OpenChannel(const KubemqOptions& options) {
  SetUpGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetMaxSendMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // how long one attempt may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // A channel of its own per broker: two brokers in one process (tests, a bridge) share no connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(options.address, CredentialsOf(options), arguments);
}

KubemqOptions WithClientId(KubemqOptions options) {
  if (options.client_id.empty()) options.client_id = "llm-router-" + NewId();
  return options;
}

using ServerMetadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Empty: the server did not say.
std::string_view Said(const ServerMetadata& metadata, std::string_view key) {
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

// A server that does not say is a foreign one: it keeps queues, and does not promise how well.
Durability DurabilityOf(const ServerMetadata& metadata) {
  return DurabilityNamed(Said(metadata, kubemq_text::kDurability)).value_or(Durability::kMemory);
}

}  // namespace

Connection::Connection(Executor executor, KubemqOptions options)
    : executor_(executor),
      options_(WithClientId(std::move(options))),
      channel_(OpenChannel(options_)),
      stub_(kubemq::kubemq::NewStub(channel_)),
      workers_(wire::Workers::NewStub(channel_)),
      queues_(wire::Queues::NewStub(channel_)),
      in_flight_(executor),
      tasks_(executor) {
  caps_.max_body = options_.max_body;
  // The least that a KubeMQ server offers, until this one is known.
  caps_.durability = Durability::kMemory;
}

void Connection::Begin(grpc::ClientContext& call) {
  if (!options_.key.empty())
    call.AddMetadata(std::string(kubemq_text::kAuthorization), std::string(options_.key.Reveal()));
  in_flight_.Add(&call);
}

Awaitable<absl::StatusOr<bool>> Connection::Marked() {
  if (known_) co_return marked_;
  if (!asking_) {
    asking_ = std::make_shared<Asking>();
    tasks_.Spawn(Ask(asking_));
  }
  const auto asking = asking_;
  Timer turn(executor_, TimePoint::max());
  asking->waiters.push_back(&turn);
  while (!asking->answer && !co_await Cancelled()) (void)co_await turn.async_wait(kUseTuple);
  std::erase(asking->waiters, &turn);
  if (!asking->answer) co_return MakeFault(Fault::kCancelled, "the caller went away");
  co_return *asking->answer;
}

Awaitable<void> Connection::Ask(std::shared_ptr<Asking> asking) {
  asking->answer = co_await Ping();
  asking_.reset();
  for (Timer* waiter : asking->waiters) waiter->cancel();
}

Awaitable<absl::StatusOr<bool>> Connection::Ping() {
  auto call = std::make_shared<UnaryCall<kubemq::Empty, kubemq::PingResult>>(executor_);
  call->context.set_deadline(OnSystemClock(Now() + std::chrono::seconds(5)));
  const grpc::Status status = co_await Call(call, Method<kubemq::Empty, kubemq::PingResult>(&Async::Ping));
  if (!status.ok()) co_return ToFault(status);
  const auto& metadata = call->context.GetServerInitialMetadata();
  marked_ = metadata.contains(grpc::string_ref(kubemq_text::kMark.data(), kubemq_text::kMark.size()));
  known_ = true;
  caps_.dispatch = marked_ ? Dispatch::kLeastOutstanding : Dispatch::kRandom;
  caps_.confirms_subscribe = marked_;
  caps_.durability = DurabilityOf(metadata);
  const std::string_view tenant = Said(metadata, kubemq_text::kTenant);
  tenant_ = tenant.empty() ? contract::kDefaultTenant : tenant;
  co_return marked_;
}

absl::Status Connection::ShuttingDown() const {
  return MakeFault(Fault::kShuttingDown, "this process is on its way out");
}

absl::Status Connection::CheckBody(const Message& message) const {
  const size_t most = options_.max_body;
  if (message.body.size() <= most) return absl::OkStatus();
  return MakeFault(Fault::kTooLarge,
                   fmt::format("the body has {} bytes and limits.body allows {}: send less, "
                               "or raise that setting",
                               message.body.size(), most));
}

std::string Connection::KeyRefused(std::string_view text) const {
  return fmt::format(
      "the server at {} {}: {}: give one that it knows, in the setting `broker.key`, in "
      "$LLM_ROUTER_KEY or with --key",
      options_.address, options_.key.empty() ? "asks for a key" : "refuses the key", text);
}

absl::Status Connection::ToFault(const grpc::Status& status) const {
  const std::string text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::CANCELLED:
      if (stopping_) return MakeFault(Fault::kShuttingDown, "this process is on its way out");
      return MakeFault(Fault::kCancelled, "the caller went away");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return MakeFault(Fault::kTimeout, "no answer before the deadline");
    case grpc::StatusCode::UNAVAILABLE:
      return MakeFault(Fault::kEngineUnavailable,
                       Unreachable(options_.address, options_.tls.has_value(), text));
    case grpc::StatusCode::UNAUTHENTICATED:
      return MakeFault(Fault::kUnauthenticated, KeyRefused(text));
    case grpc::StatusCode::PERMISSION_DENIED:
      return MakeFault(
          Fault::kPermissionDenied,
          fmt::format("the server at {} does not allow that to this key: {}", options_.address, text));
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return MakeFault(Fault::kTooLarge, fmt::format("the message is too large for the server at {} ({})",
                                                     options_.address, text));
    case grpc::StatusCode::UNIMPLEMENTED:
      return MakeFault(Fault::kNotSupported, text);
    case grpc::StatusCode::INTERNAL:
      if (text.find("Error 301") != std::string::npos)
        return MakeFault(Fault::kTimeout, "no answer before the deadline");
      // Every other numbered text tells of something wrong in what was sent.
      if (text.starts_with("Error 1") || text.starts_with("Error 2") || text.starts_with("nats: "))
        return MakeFault(Fault::kInvalidRequest, text);
      return MakeFault(Fault::kInternal, fmt::format("the server at {} says: {}", options_.address, text));
    default:
      return MakeFault(Fault::kInternal,
                       fmt::format("the server at {} answered with gRPC status {}: {}", options_.address,
                                   static_cast<int>(status.error_code()), text));
  }
}

Awaitable<void> Connection::Stop() {
  BeginStop();
  tasks_.Cancel();
  co_await tasks_.Join();
  // Last answers get a moment to leave; then nothing is waited for but gRPC letting go.
  if (!co_await in_flight_.Empty(Now() + std::chrono::seconds(1))) in_flight_.CancelAll();
  (void)co_await in_flight_.Empty(TimePoint::max());
}

}  // namespace llm_router
