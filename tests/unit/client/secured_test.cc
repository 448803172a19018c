// The client towards a server that asks for a key and speaks TLS.
#include <cstdlib>
#include <string>

#include "client/client.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"
#include "tests/support/secured_server.h"

namespace llm_router::client {
namespace {

using test::Certificates;
using test::SecuredOptions;
using test::SecuredServer;

Options At(const std::string& address) {
  Options options;
  options.address = address;
  options.timeout = std::chrono::seconds(30);
  return options;
}

// The environment's key, as long as this lives.
class KeyInEnvironment {
 public:
  explicit KeyInEnvironment(const char* key) { setenv("LLM_ROUTER_KEY", key, 1); }
  ~KeyInEnvironment() { unsetenv("LLM_ROUTER_KEY"); }
};

Error ErrorOf(const Options& options) {
  Client client(options);
  const auto answer = client.Ask("openai", "Hello");
  REQUIRE_FALSE(answer.ok());
  return answer.error();
}

TEST_CASE("a question goes over TLS with a key and a certificate") {
  const Certificates certificates;
  SecuredOptions secured;
  secured.key = "the-key";
  secured.tls = certificates.Issue("server");
  secured.wants_certificate = true;
  SecuredServer server(secured);
  const TlsFiles mine = certificates.Issue("me");
  Options options = At(server.address());
  options.key = "the-key";
  options.ca = mine.ca;
  options.cert = mine.cert;
  options.cert_key = mine.cert_key;
  Client client(options);
  const auto answer = client.Ask("openai", "Hello");
  REQUIRE(answer.ok());
  CHECK(answer->text == "Hello");
}

TEST_CASE("the key is the environment's where the options have none") {
  SecuredOptions secured;
  secured.key = "the-key";
  SecuredServer server(secured);
  const KeyInEnvironment environment("the-key");
  CHECK(Client(At(server.address())).Ask("openai", "Hello").ok());
  Options options = At(server.address());
  options.key = "another-key";
  CHECK(ErrorOf(options).code == ErrorCode::kUnauthenticated);
}

TEST_CASE("without a key a server that asks for one says how to give it") {
  SecuredOptions secured;
  secured.key = "the-key";
  SecuredServer server(secured);
  const Error error = ErrorOf(At(server.address()));
  CHECK(error.code == ErrorCode::kUnauthenticated);
  CHECK_THAT(error.message, Catch::Contains("asks for a key") && Catch::Contains("--key"));
}

TEST_CASE("a handshake that fails does not send its caller to start a server") {
  const Certificates certificates;
  SecuredOptions secured;
  secured.tls = certificates.Issue("server");
  SecuredServer server(secured);
  const Error error = ErrorOf(At(server.address()));
  CHECK(error.code == ErrorCode::kEngineUnavailable);
  CHECK_THAT(error.message, Catch::Contains("give its CA") && !Catch::Contains("llm-router serve"));
}

TEST_CASE("options that can't be used are the error of every call") {
  Options options = At("127.0.0.1:1");
  SECTION("a CA that is not there") {
    options.ca = "/nowhere/ca.pem";
    CHECK(ErrorOf(options).message ==
          "ca: /nowhere/ca.pem can't be read: No such file or directory: check its path and permissions");
  }
  SECTION("a certificate without its key") {
    const Certificates certificates;
    options.cert = certificates.ca();
    CHECK(ErrorOf(options).message == "cert_key: is missing: cert needs it, give both or neither");
  }
  SECTION("a key that no header can carry") {
    options.key = "Bearer the-key";
    const Error error = ErrorOf(options);
    CHECK(
        error.message ==
        "the key holds a space or a character that no key has: copy it again, without quotes or \"Bearer\"");
  }
  CHECK(ErrorOf(options).code == ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router::client
