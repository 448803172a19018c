#include "tests/contract/nats_harness.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "broker_adapters/nats/nats_broker.h"
#include "tests/support/certificates.h"
#include "tests/support/nats_server.h"

namespace llm_router::test {
namespace {

class NatsHarness final : public Harness {
 public:
  NatsHarness(Loop& loop, NatsOptions options) : loop_(loop), options_(std::move(options)) {}

  Awaitable<Broker*> Connect() override {
    brokers_.push_back(MakeNatsBroker(loop_.executor(), options_));
    Broker* const broker = brokers_.back().get();
    // Up when a query to nobody runs until its deadline.
    Query query(Kind::kQuery, Message("contract_up", "x"), Now() + Milliseconds(20));
    while (absl::IsUnavailable((co_await broker->Request(query)).status()) &&
           co_await Sleep(Now() + Milliseconds(20))) {
      query.deadline = Now() + Milliseconds(20);
    }
    co_return broker;
  }

  bool NackOvertakes() const override { return true; }

  Awaitable<void> Stop() override {
    for (const auto& broker : brokers_) co_await broker->Stop();
  }

 private:
  Loop& loop_;
  const NatsOptions options_;
  std::vector<std::unique_ptr<Broker>> brokers_;
};

NatsOptions Plain() {
  static const NatsServer server;
  NatsOptions options;
  options.servers = {server.address()};
  return options;
}

NatsOptions Secured() {
  static const Certificates certificates;
  static const TlsFiles files = certificates.Issue("server");
  static const NatsServer server(
      fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}\n"
                  "authorization {{ user: router, password: \"a secret\" }}",
                  files.cert, files.cert_key, files.ca));
  auto tls = ReadTls(certificates.Issue("client"), TlsNames{"ca", "cert", "cert_key"});
  if (!tls.ok()) throw std::runtime_error(tls.status().ToString());
  NatsOptions options;
  options.servers = {server.address()};
  options.user = "router";
  options.password = Secret("a secret");
  options.tls = *std::move(tls);
  return options;
}

}  // namespace

std::unique_ptr<Harness> MakeNatsHarness(Loop& loop) {
  if (!NatsServer::IsHere()) return nullptr;
  return std::make_unique<NatsHarness>(loop, Plain());
}

std::unique_ptr<Harness> MakeSecuredNatsHarness(Loop& loop) {
  if (!NatsServer::IsHere()) return nullptr;
  return std::make_unique<NatsHarness>(loop, Secured());
}

}  // namespace llm_router::test
