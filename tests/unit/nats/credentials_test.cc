// How the nats adapter shows who it is, and what it says where that does not do.
#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "broker_adapters/nats/nats_broker.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"
#include "tests/support/nats_server.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

constexpr TlsNames kNames{"broker.ca", "broker.cert", "broker.cert_key"};

// What a query to nobody ends with: timeout where the server lets us in.
absl::Status Knock(const NatsOptions& options) {
  absl::Status status;
  test::Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeNatsBroker(loop.executor(), options);
    const Query query(Kind::kQuery, Message("nobody", "x"), Now() + Milliseconds(1'500));
    status = (co_await broker->Request(query)).status();
    co_await broker->Stop();
  });
  return status;
}

NatsOptions To(const test::NatsServer& server) {
  NatsOptions options;
  options.servers = {server.address()};
  return options;
}

TlsPem Read(const TlsFiles& files) {
  auto tls = ReadTls(files, kNames);
  REQUIRE(tls.ok());
  return **std::move(tls);
}

TEST_CASE("a user with the right password comes in, and others are told what to give") {
  if (!test::NatsServer::IsHere()) return;
  const test::NatsServer server(R"(authorization { user: me, password: "it's %me" })");
  NatsOptions options = To(server);
  const absl::Status stranger = Knock(options);
  CHECK(FaultOf(stranger) == Fault::kUnauthenticated);
  CHECK_THAT(std::string(MessageOf(stranger)), Catch::Contains("broker.user"));
  options.user = "me";
  options.password = Secret("guessed");
  const absl::Status wrong = Knock(options);
  CHECK(FaultOf(wrong) == Fault::kUnauthenticated);
  CHECK_THAT(std::string(MessageOf(wrong)), !Catch::Contains("guessed"));
  options.password = Secret("it's %me");
  CHECK(FaultOf(Knock(options)) == Fault::kTimeout);
}

TEST_CASE("a token does, too") {
  if (!test::NatsServer::IsHere()) return;
  const test::NatsServer server("authorization { token: abc }");
  NatsOptions options = To(server);
  options.token = Secret("abd");
  CHECK(FaultOf(Knock(options)) == Fault::kUnauthenticated);
  options.token = Secret("abc");
  CHECK(FaultOf(Knock(options)) == Fault::kTimeout);
}

TEST_CASE("a server is known by its CA and its name, and asks for a certificate of ours") {
  if (!test::NatsServer::IsHere()) return;
  const test::Certificates certificates;
  const test::Certificates others;
  const TlsFiles files = certificates.Issue("server");
  const test::NatsServer server(
      fmt::format(R"(tls {{ cert_file: "{}", key_file: "{}", ca_file: "{}", verify: true }})", files.cert,
                  files.cert_key, files.ca));
  NatsOptions options = To(server);
  options.tls = Read(certificates.Issue("client"));
  CHECK(FaultOf(Knock(options)) == Fault::kTimeout);
  options.tls->ca = Read(others.Issue("client")).ca;
  const absl::Status untrusted = Knock(options);
  CHECK(FaultOf(untrusted) == Fault::kEngineUnavailable);
  CHECK_THAT(std::string(MessageOf(untrusted)), Catch::Contains("broker.ca"));
  options.tls = Read(certificates.Issue("client"));
  options.tls->cert.clear();
  CHECK(FaultOf(Knock(options)) == Fault::kEngineUnavailable);
}

TEST_CASE("a server with a certificate for another name is not trusted") {
  if (!test::NatsServer::IsHere()) return;
  const test::Certificates certificates;
  test::Wanted elsewhere;
  elsewhere.names = "DNS:elsewhere.example";
  const TlsFiles files = certificates.Issue("server", elsewhere);
  const test::NatsServer server(
      fmt::format(R"(tls {{ cert_file: "{}", key_file: "{}" }})", files.cert, files.cert_key));
  NatsOptions options = To(server);
  options.tls = Read(certificates.Issue("client"));
  const absl::Status status = Knock(options);
  CHECK(FaultOf(status) == Fault::kEngineUnavailable);
  CHECK_THAT(std::string(MessageOf(status)), Catch::Contains("name"));
}

TEST_CASE("nobody at the address: the sentence names it") {
  NatsOptions options;
  options.servers = {"127.0.0.1:1"};
  const absl::Status status = Knock(options);
  CHECK(FaultOf(status) == Fault::kEngineUnavailable);
  CHECK_THAT(std::string(MessageOf(status)), Catch::Contains("127.0.0.1:1"));
}

TEST_CASE("a server without JetStream keeps no queues, and everything else works") {
  if (!test::NatsServer::IsHere()) return;
  const test::NatsServer server("accounts { A { users: [ { user: a, password: a } ] } }");
  NatsOptions options = To(server);
  options.user = "a";
  options.password = Secret("a");
  test::Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeNatsBroker(loop.executor(), options);
    std::vector<Outgoing> messages(1);
    CHECK(FaultOf((co_await broker->Send("q", std::move(messages))).status()) == Fault::kNotSupported);
    CHECK(FaultOf((co_await broker->Receive("q", ReceiveOptions())).status()) == Fault::kNotSupported);
    CHECK(FaultOf((co_await broker->Info("q")).status()) == Fault::kNotSupported);
    CHECK(broker->caps().durability == Durability::kNone);
    const Query query(Kind::kQuery, Message("nobody", "x"), Now() + Milliseconds(100));
    CHECK(FaultOf((co_await broker->Request(query)).status()) == Fault::kTimeout);
    co_await broker->Stop();
  });
}

}  // namespace
}  // namespace llm_router
