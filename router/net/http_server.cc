#include "router/net/http_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/http_session.h"

namespace llm_router {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, Executor>;

constexpr Milliseconds kAcceptPause = Milliseconds(50);
constexpr Milliseconds kLastWords = Milliseconds(2'000);
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

std::string_view RemedyFor(const error_code& error) {
  if (error == boost::asio::error::address_in_use) return "choose another port, or stop what uses this one";
  if (error == boost::asio::error::access_denied) return "choose a port above 1023";
  return "choose an address of this machine";
}

absl::Status ListenFailure(const HttpServerOptions& options, const error_code& error) {
  return MakeFault(Fault::kInternal, fmt::format("can't listen on {}:{}: {}: {}", options.host, options.port,
                                                 error.message(), RemedyFor(error)));
}

absl::StatusOr<Acceptor> Open(Executor executor, const HttpServerOptions& options) {
  error_code error;
  boost::asio::ip::basic_resolver<tcp, Executor> resolver(executor);
  const auto found =
      resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
  if (error) return ListenFailure(options, error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  Acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  if (error) return ListenFailure(options, error);
  return acceptor;
}

// Fine enough for the shortest timeout, coarse enough to cost nothing.
Milliseconds SweepPeriod(const HttpServerOptions& options) {
  const Milliseconds shortest =
      std::min({options.handshake_timeout, options.idle_timeout, options.header_timeout, options.body_timeout,
                options.write_timeout});
  return std::clamp(shortest / 4, Milliseconds(5), Milliseconds(1000));
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Executor executor, Acceptor acceptor, HttpServerOptions options, HttpHandler handler)
      : acceptor_(std::move(acceptor)),
        service_(executor),
        running_(executor),
        drained_(executor),
        context_(std::move(options), std::move(handler), running_) {
    service_.Spawn(Accept());
    service_.Spawn(Sweep());
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  Awaitable<void> Stop(Milliseconds grace) {
    context_.stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (HttpSession* session : Sessions()) {
      if (session->IsIdle()) session->Interrupt();
    }
    if (!sessions_.empty()) (void)co_await drained_.Wait(Now() + grace);
    service_.Cancel();
    context_.grace_over = true;
    running_.Cancel();
    if (!sessions_.empty()) (void)co_await drained_.Wait(Now() + kLastWords);
    running_.Cancel();
    co_await running_.Join();
    co_await service_.Join();
  }

 private:
  std::vector<HttpSession*> Sessions() const { return {sessions_.begin(), sessions_.end()}; }

  Awaitable<void> Accept() {
    bool complained = false;
    while (!co_await Cancelled() && acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kUseTuple);
      if (!error) {
        complained = false;
        Admit(std::move(socket));
        continue;
      }
      if (error == boost::asio::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error == boost::asio::error::connection_aborted) continue;
      // No descriptors or memory: the connection waits in the kernel's queue until some are free again.
      if (!std::exchange(complained, true)) log::Warning("can't accept connections: {}", error.message());
      co_await Sleep(Now() + kAcceptPause);
    }
  }

  void Admit(HttpSocket socket) {
    const ServerTls* const tls = context_.options.tls;
    if (sessions_.size() >= context_.options.max_connections)
      return TurnAway(std::move(socket), tls == nullptr);
    auto session = std::make_shared<HttpSession>(
        HttpStream(std::move(socket), tls ? tls->current()->context : nullptr), context_);
    sessions_.insert(session.get());
    HttpSession& running = *session;
    running.set_task(running_.Spawn(Serve(std::move(session))));
  }

  void TurnAway(HttpSocket socket, bool is_plaintext) {
    if (const auto left_out = context_.refusals.Admit(Now())) {
      log::Info("a connection was refused: {} are open, and no more are allowed ({} more)", sessions_.size(),
                *left_out);
    }
    error_code ignored;
    socket.non_blocking(true, ignored);
    if (is_plaintext) boost::asio::write(socket, boost::asio::buffer(kFull), ignored);
  }

  Awaitable<void> Serve(std::shared_ptr<HttpSession> session) {
    const Membership member(*this, session.get());
    co_await session->Run();
  }

  Awaitable<void> Sweep() {
    while (co_await Sleep(Now() + SweepPeriod(context_.options))) {
      const TimePoint now = Now();
      for (HttpSession* session : sessions_) session->Expire(now);
    }
  }

  // Takes a session out of the books however it ends.
  class Membership {
   public:
    Membership(Impl& server, HttpSession* session) : server_(server), session_(session) {}
    ~Membership() {
      session_->Close();
      server_.sessions_.erase(session_);
      if (server_.context_.stopping && server_.sessions_.empty()) server_.drained_.Set(true);
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

   private:
    Impl& server_;
    HttpSession* session_;
  };

  Acceptor acceptor_;
  TaskGroup service_;  // accepting and timeouts
  TaskGroup running_;  // sessions
  OneShot<bool> drained_;
  HttpSessionContext context_;
  absl::flat_hash_set<HttpSession*> sessions_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(Executor executor, HttpServerOptions options,
                                                               HttpHandler handler) {
  ASSIGN_OR_RETURN(Acceptor acceptor, Open(executor, options));
  auto impl = std::make_unique<Impl>(executor, std::move(acceptor), std::move(options), std::move(handler));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port(); }
Awaitable<void> HttpServer::Stop(Milliseconds grace) { co_await impl_->Stop(grace); }

}  // namespace llm_router
