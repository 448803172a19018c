#include "client/connection.h"

#include <fmt/format.h>

#include <future>
#include <string_view>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/tls_files.h"
#include "client/address.h"
#include "client/cancel_watch.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

Options Resolved(Options options) {
  options.address = ResolveAddress(options.address);
  if (options.key.empty()) options.key = FromEnvironment("LLM_ROUTER_KEY");
  if (options.client_id.empty()) options.client_id = fmt::format("client-{}", NewId());
  return options;
}

// The connection these options ask for, its files read; or what is wrong with them.
absl::StatusOr<KubemqOptions> ToConnection(const Options& options) {
  RETURN_IF_ERROR(CheckAddress(options.address));
  RETURN_IF_ERROR(CheckKey(options.key));
  TlsFiles files;
  files.ca = options.ca;
  files.cert = options.cert;
  files.cert_key = options.cert_key;
  KubemqOptions connection;
  ASSIGN_OR_RETURN(connection.tls, ReadTls(files, TlsNames{"ca", "cert", "cert_key"}));
  connection.address = options.address;
  connection.client_id = options.client_id;
  connection.key = Secret(options.key);
  connection.max_body = options.max_body;
  return connection;
}

absl::Status Gone() {
  return MakeFault(Fault::kCancelled, "the Client is gone: keep it while its handles are used");
}

}  // namespace

Connection::Connection(Options options)
    : options_(Resolved(std::move(options))), wire_(ToConnection(options_)) {
  if (!wire_.ok()) return;
  loop_.Start();
  loop_.RunTask([this] { return Open(); });
}

Connection::~Connection() { Close(); }

void Connection::Close() {
  if (!wire_.ok() || std::exchange(closed_, true)) return;
  loop_.RunTask([this] { return RunClose(); });
}

Awaitable<void> Connection::Open() {
  broker_ = MakeKubemqBroker(loop_.executor(), *wire_);
  streams_ = std::make_unique<ReplyStreams>(loop_.executor(), *broker_);
  tasks_ = std::make_unique<TaskGroup>(loop_.executor());
  co_return;
}

Awaitable<void> Connection::RunClose() {
  tasks_->Cancel();
  co_await tasks_->Join();
  co_await streams_->Stop();
  co_await broker_->Stop();
  broker_.reset();
}

// Shared by the caller and the loop, for a cancel may run after the caller went on.
struct Connection::Call {
  std::promise<absl::StatusOr<Reply>> reply;
  TaskGroup::TaskId task = 0;  // the loop's
};

absl::StatusOr<Reply> Connection::Ask(Query query, const Canceller& canceller) {
  const auto call = std::make_shared<Call>();
  auto reply = call->reply.get_future();
  Post([this, call, query = std::move(query)]() mutable {
    if (broker_ == nullptr) return call->reply.set_value(Gone());
    call->task = tasks_->Spawn(Run(call, std::move(query)));
  });
  const CancelWatch watch(canceller, [this, call] { Post([this, call] { tasks_->Cancel(call->task); }); });
  return reply.get();
}

Awaitable<void> Connection::Run(std::shared_ptr<Call> call, Query query) {
  call->reply.set_value(co_await Request(std::move(query)));
}

Awaitable<absl::StatusOr<Reply>> Connection::Request(Query query) {
  std::string channel = query.message.channel;
  auto reply = co_await broker_->Request(std::move(query));
  if (reply.ok()) co_return reply;
  co_return co_await Explain(std::move(reply).status(), std::move(channel));
}

// What only this side can word well: the Client is going away, nobody is there, nobody answers.
Awaitable<absl::Status> Connection::Explain(absl::Status failure, std::string channel) {
  if (co_await Cancelled()) {
    co_return MakeFault(Fault::kCancelled, "cancelled before the answer came");
  }
  const Fault fault = FaultOf(failure);
  if (fault == Fault::kTimeout) co_return Annotate(std::move(failure), channel);
  // A door that lost the broker behind it says so in its own words, and a handshake that failed met somebody:
  // only of this address, and where starting a server helps.
  const std::string_view said = MessageOf(failure);
  const bool nobody = said.find(options_.address) != std::string_view::npos &&
                      said.find(": start it") != std::string_view::npos;
  if (fault != Fault::kEngineUnavailable || !nobody) co_return failure;
  co_return MakeFault(fault, fmt::format("{}; `llm-router serve` starts one", MessageOf(failure)));
}

}  // namespace llm_router::client
