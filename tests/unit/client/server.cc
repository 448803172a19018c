#include "tests/unit/client/server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "router/gateway/kubemq_grpc.h"
#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

namespace tag = contract::tag;

contract::Heartbeat BeatOf(const std::vector<std::string>& routes) {
  contract::Heartbeat beat;
  beat.worker = NewId();
  for (const std::string& name : routes) {
    contract::RouteBeat& row = beat.routes.emplace_back();
    row.route = name;
    row.models = {name + "-model"};
    row.capacity = 256;
  }
  return beat;
}

Awaitable<absl::StatusOr<Reply>> Echo(Query query) { co_return EchoOf(query); }

}  // namespace

class Server::Impl {
 public:
  explicit Impl(int port) {
    loop_.Start();
    loop_.RunTask([this, port] { return Open(port); });
  }
  ~Impl() {
    loop_.RunTask([this] { return Close(); });
  }

  int port() const { return port_; }
  void Serve(const std::string& route, QueryHandler handler) {
    loop_.RunTask([&] {
      return RunServe(contract::RequestsChannel(route), std::string(contract::kWorkersGroup),
                      std::move(handler));
    });
    Beat({route});
  }
  void ServeJobs(QueryHandler handler) {
    loop_.RunTask([&] {
      return RunServe(std::string(contract::kJobsChannel), std::string(contract::kJobsGroup),
                      std::move(handler));
    });
  }
  void Beat(const std::vector<std::string>& routes) {
    loop_.RunTask([&] { return StartBeating(routes); });
  }

 private:
  Awaitable<void> Open(int port) {
    broker_ = MakeEmbeddedBroker(loop_.executor(), EmbeddedOptions());
    tasks_ = std::make_unique<TaskGroup>(loop_.executor());
    KubemqDoorOptions options;
    options.port = port;
    server_ = KubemqServer::Start(loop_, *broker_);
    auto door = KubemqDoor::Start(server_, options);
    REQUIRE(door.ok());
    door_ = *std::move(door);
    port_ = door_->port();
    co_return;
  }

  Awaitable<void> RunServe(std::string channel, std::string group, QueryHandler handler) {
    auto subscription =
        co_await broker_->Serve(ServeOptions(Kind::kQuery, channel, group, 256), std::move(handler));
    REQUIRE(subscription.ok());
    subscriptions_.push_back(*std::move(subscription));
  }

  Awaitable<void> StartBeating(std::vector<std::string> routes) {
    tasks_->Spawn(KeepBeating(BeatOf(routes)));
    co_return;
  }

  Awaitable<void> KeepBeating(contract::Heartbeat beat) {
    const std::string body = contract::ToJson(beat);
    do {
      (void)broker_->Publish(Message(std::string(contract::kHeartbeatChannel), body));
    } while (co_await Sleep(Now() + Milliseconds(20)));
  }

  Awaitable<void> Close() {
    tasks_->Cancel();
    co_await tasks_->Join();
    subscriptions_.clear();
    co_await server_->Stop(Milliseconds(0));
    co_await door_->Stop();
    door_.reset();
    server_.reset();
    co_await broker_->Stop();
    broker_.reset();
  }

  Loop loop_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<TaskGroup> tasks_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
  std::vector<SubscriptionPtr> subscriptions_;
  int port_ = 0;
};

Server::Server(int port) : impl_(std::make_unique<Impl>(port)) {}
Server::~Server() = default;

int Server::port() const { return impl_->port(); }
std::string Server::address() const { return fmt::format("127.0.0.1:{}", port()); }
void Server::Serve(const std::string& route, QueryHandler handler) {
  impl_->Serve(route, std::move(handler));
}
void Server::ServeJobs(QueryHandler handler) { impl_->ServeJobs(std::move(handler)); }
void Server::ServeEcho(const std::string& route) { Serve(route, Echo); }
void Server::Beat(const std::vector<std::string>& routes) { impl_->Beat(routes); }

int UnusedPort() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(listener);
  return ntohs(address.sin_port);
}

Reply EchoOf(const Query& query) {
  const Tags& asked = query.message.tags;
  contract::TextReply text;
  text.response = fmt::format("{}|{}", TagOr(asked, tag::kSystem), query.message.body);
  text.model = TagOr(asked, tag::kModel, "m");
  text.provider = "test";
  text.usage = contract::Usage{3, 5};
  Reply reply;
  reply.executed = true;
  reply.message.body = contract::ToJson(text);
  reply.message.tags = {{"content-type", "application/json"}, {"attempts", "2"}, {"warnings", "seed; top_k"}};
  if (const auto id = TagOr(asked, tag::kRequestId); !id.empty())
    reply.message.tags["request-id"] = std::string(id);
  return reply;
}

}  // namespace llm_router::client
