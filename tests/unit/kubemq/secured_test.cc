// The kubemq adapter towards a server that asks for a key, or speaks TLS.
#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"
#include "tests/support/run.h"
#include "tests/support/secured_server.h"

namespace llm_router {
namespace {

using test::Certificates;
using test::Run;
using test::SecuredOptions;
using test::SecuredServer;

constexpr std::chrono::seconds kPatience(30);

KubemqOptions To(const std::string& address, const std::string& key = "", const TlsFiles& files = {}) {
  KubemqOptions options;
  options.address = address;
  options.key = Secret(key);
  const auto tls = ReadTls(files, TlsNames{"ca", "cert", "cert_key"});
  REQUIRE(tls.ok());
  options.tls = *tls;
  return options;
}

SecuredOptions WithKey(const std::string& key) {
  SecuredOptions options;
  options.key = key;
  return options;
}

TlsFiles OnlyCa(const std::string& path) {
  TlsFiles files;
  files.ca = path;
  return files;
}

Query Ask() { return Query(Kind::kQuery, Message("q", "hello"), Now() + kPatience); }

Awaitable<absl::StatusOr<Reply>> Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.body = query.message.body;
  co_return reply;
}

// What one query over a connection of its own comes to.
absl::StatusOr<Reply> AskOnce(const KubemqOptions& options) {
  absl::StatusOr<Reply> reply = absl::UnknownError("not asked");
  Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeKubemqBroker(loop.executor(), options);
    reply = co_await broker->Request(Ask());
    co_await broker->Stop();
  });
  return reply;
}

TEST_CASE("every call carries the key: query, answer, event, and both kinds of subscription") {
  SecuredServer server(WithKey("the-key"));
  Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeKubemqBroker(loop.executor(), To(server.address(), "the-key"));
    CHECK((co_await broker->Request(Ask())).ok());
    CHECK(broker->Publish(Message("e", "hello")).ok());
    OneShot<bool> heard(loop.executor());
    const auto events = co_await broker->Subscribe("e", "", [&](const Message&) { heard.Set(true); });
    CHECK(events.ok());
    CHECK((co_await heard.Wait(Now() + kPatience)).has_value());
    const auto queries = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "g", 1), Echo);
    CHECK(queries.ok());
    const std::set<std::string> all = {"SendEventsStream", "SendRequest", "SendResponse", "SubscribeToEvents",
                                       "SubscribeToRequests"};
    const TimePoint end = Now() + kPatience;
    while (server.admitted() != all && Now() < end) co_await Sleep(Now() + Milliseconds(5));
    CHECK(server.admitted() == all);
    co_await broker->Stop();
  });
}

TEST_CASE("a key that the server refuses is said so, with the remedy and without the key") {
  SecuredServer server(WithKey("the-key"));
  const auto wrong = AskOnce(To(server.address(), "another-key")).status();
  CHECK(FaultOf(wrong) == Fault::kUnauthenticated);
  CHECK_THAT(
      std::string(MessageOf(wrong)),
      Catch::Contains("refuses the key: invalid authorization token: give one that it knows, in the setting "
                      "`broker.key`, in $LLM_ROUTER_KEY or with --key") &&
          !Catch::Contains("another-key"));
  const auto none = AskOnce(To(server.address())).status();
  CHECK(FaultOf(none) == Fault::kUnauthenticated);
  CHECK_THAT(std::string(MessageOf(none)), Catch::Contains("asks for a key"));
}

TEST_CASE("a key that may not do that is said so in the server's words") {
  SecuredOptions options = WithKey("the-key");
  options.forbids = true;
  SecuredServer server(options);
  const auto denied = AskOnce(To(server.address(), "the-key")).status();
  CHECK(FaultOf(denied) == Fault::kPermissionDenied);
  CHECK_THAT(std::string(MessageOf(denied)),
             Catch::Contains("does not allow that to this key: no access to this channel"));
}

TEST_CASE("a subscription with a refused key fails at once, instead of trying again for ever") {
  SecuredOptions options = WithKey("the-key");
  options.ping_needs_key = GENERATE(false, true);
  SecuredServer server(options);
  Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeKubemqBroker(loop.executor(), To(server.address(), "another-key"));
    const auto queries = co_await broker->Serve(ServeOptions(Kind::kQuery, "q", "g", 1), Echo);
    CHECK(FaultOf(queries.status()) == Fault::kUnauthenticated);
    const auto events = co_await broker->Subscribe("e", "", [](const Message&) {});
    CHECK(FaultOf(events.status()) == Fault::kUnauthenticated);
    co_await broker->Stop();
  });
}

TEST_CASE("a query goes over TLS, and its certificate with it where the server asks for one") {
  const Certificates certificates;
  SecuredOptions options;
  options.tls = certificates.Issue("server");
  options.wants_certificate = GENERATE(false, true);
  SecuredServer server(options);
  const TlsFiles mine = options.wants_certificate ? certificates.Issue("me") : OnlyCa(certificates.ca());
  const auto reply = AskOnce(To(server.address(), "", mine));
  REQUIRE(reply.ok());
  CHECK(reply->message.body == "hello");
}

TEST_CASE("a handshake that fails says what is wrong with it") {
  const Certificates certificates;
  const Certificates others;
  SecuredOptions options;
  options.tls = certificates.Issue("server");
  TlsFiles mine = OnlyCa(certificates.ca());
  std::string said;
  SECTION("another CA") {
    mine.ca = others.ca();
    said = "its certificate has expired, or another CA signed it: give the right CA";
  }
  SECTION("the system's CAs, which did not sign it") {
    mine.ca = "system";
    said = "its certificate has expired, or another CA signed it: give the right CA";
  }
  SECTION("an expired certificate") {
    test::Wanted wanted;
    wanted.days = -1;
    options.tls = certificates.Issue("server", wanted);
    said = "its certificate has expired";
  }
  SECTION("a certificate for another name") {
    test::Wanted wanted;
    wanted.names = "DNS:elsewhere.example";
    options.tls = certificates.Issue("server", wanted);
    said = "its certificate is made for another name: use one that is in it, or have this one added";
  }
  SECTION("TLS to a port without") {
    options.tls = TlsFiles();
    said = "it speaks no TLS there: leave out ca, cert and cert_key, or name its TLS port";
  }
  SECTION("no TLS to a port with") {
    mine = TlsFiles();
    said =
        "it closed the connection: where it speaks TLS, give its CA with the setting `broker.ca` or with "
        "--ca";
  }
  SECTION("no certificate where one is asked for") {
    options.wants_certificate = true;
    said = "it ended the handshake: where it asks for a certificate, give one with `broker.cert`";
  }
  SECTION("a certificate of another CA where one is asked for") {
    options.wants_certificate = true;
    mine = others.Issue("me");
    mine.ca = certificates.ca();
    said = "it ended the handshake: where it asks for a certificate, give one with `broker.cert`";
  }
  SecuredServer server(options);
  const auto failed = AskOnce(To(server.address(), "", mine)).status();
  CHECK(FaultOf(failed) == Fault::kEngineUnavailable);
  CHECK_THAT(std::string(MessageOf(failed)), Catch::Contains(said));
}

}  // namespace
}  // namespace llm_router
