// The KubeMQ gRPC door behind TLS: who gets through, and what happens when its certificate changes.
#include <fmt/format.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "kubemq.grpc.pb.h"
#include "router/gateway/kubemq_grpc.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"

namespace llm_router {
namespace {

using test::Certificates;

constexpr TlsNames kNames{"listen.tls.client_ca", "listen.tls.cert", "listen.tls.cert_key"};
constexpr std::chrono::seconds kPatience(30);

// A door over an embedded broker, on a loop of its own.
class SecuredDoor {
 public:
  explicit SecuredDoor(const TlsFiles& files) {
    auto tls = ServerTls::Load(files, kNames);
    REQUIRE(tls.ok());
    tls_ = *std::move(tls);
    loop_.Start();
    loop_.RunTask([this]() -> Awaitable<void> {
      broker_ = MakeEmbeddedBroker(loop_.executor(), EmbeddedOptions());
      server_ = KubemqServer::Start(loop_, *broker_);
      KubemqDoorOptions options;
      options.port = 0;
      options.tls = tls_.get();
      auto door = KubemqDoor::Start(server_, options);
      if (!door.ok()) FAIL(door.status().ToString());
      door_ = *std::move(door);
      co_return;
    });
  }
  ~SecuredDoor() {
    loop_.RunTask([this]() -> Awaitable<void> {
      co_await server_->Stop(Milliseconds(0));
      co_await door_->Stop();
      door_.reset();
      server_.reset();
      co_await broker_->Stop();
      broker_.reset();
    });
  }

  int port() const { return door_->port(); }
  ServerTls& tls() { return *tls_; }

 private:
  std::unique_ptr<ServerTls> tls_;
  Loop loop_;
  std::unique_ptr<Broker> broker_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
};

// A connection of its own that trusts `files.ca`, with a certificate where `files` has one.
class Caller {
 public:
  Caller(int port, const TlsFiles& files) {
    const auto pem = ReadTls(files, TlsNames{"ca", "cert", "cert_key"});  // on any thread: without REQUIRE
    if (!pem.ok()) return;
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = (*pem)->ca;
    options.pem_cert_chain = (*pem)->cert;
    options.pem_private_key = std::string((*pem)->cert_key.Reveal());
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = kubemq::kubemq::NewStub(grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", port),
                                                              grpc::SslCredentials(options), arguments));
  }

  bool Ping() {
    if (!stub_) return false;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    kubemq::PingResult result;
    return stub_->Ping(&context, kubemq::Empty(), &result).ok();
  }

 private:
  std::unique_ptr<kubemq::kubemq::Stub> stub_;
};

TlsFiles OnlyCa(const TlsFiles& files) {
  TlsFiles ca;
  ca.ca = files.ca;
  return ca;
}
TlsFiles WithoutCa(TlsFiles files) {
  files.ca.clear();
  return files;
}

TEST_CASE("a client CA lets in who shows a certificate of it, and nobody else") {
  const Certificates certificates;
  const Certificates others;
  SecuredDoor door(certificates.Issue("server"));
  const TlsFiles mine = certificates.Issue("me");
  TlsFiles foreign = others.Issue("me");
  foreign.ca = mine.ca;
  CHECK(Caller(door.port(), mine).Ping());
  CHECK_FALSE(Caller(door.port(), OnlyCa(mine)).Ping());
  CHECK_FALSE(Caller(door.port(), foreign).Ping());
}

TEST_CASE("a new certificate is for new connections, a broken one for nobody, and old connections go on") {
  const Certificates certificates;
  const Certificates others;
  const TlsFiles files = WithoutCa(certificates.Issue("server"));
  SecuredDoor door(files);
  const TlsFiles before = OnlyCa(certificates.Issue("me"));
  const TlsFiles after = OnlyCa(others.Issue("me"));
  Caller old(door.port(), before);
  CHECK(old.Ping());
  CHECK_FALSE(Caller(door.port(), after).Ping());

  const TlsFiles next = others.Issue("server");
  std::filesystem::copy_file(next.cert, files.cert, std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(door.tls().Reload());  // its key is not there yet
  CHECK(Caller(door.port(), before).Ping());
  std::filesystem::copy_file(next.cert_key, files.cert_key,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(door.tls().Reload());
  CHECK(Caller(door.port(), after).Ping());
  CHECK_FALSE(Caller(door.port(), before).Ping());
  CHECK(old.Ping());
}

TEST_CASE("no connection is lost while certificates are replaced under load") {
  const Certificates certificates;
  SecuredDoor door(WithoutCa(certificates.Issue("server")));
  const TlsFiles mine = OnlyCa(certificates.Issue("me"));
  std::atomic<int> answered = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 5; ++n) answered += Caller(door.port(), mine).Ping() ? 1 : 0;
    });
  }
  for (int i = 0; i < 20; ++i) {
    certificates.Issue("server");
    CHECK(door.tls().Reload());
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(answered == 20);
}

}  // namespace
}  // namespace llm_router
