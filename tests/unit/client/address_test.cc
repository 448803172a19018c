#include "client/address.h"

#include <cstdlib>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

TEST_CASE("an address given wins over the environment, which wins over the default") {
  unsetenv("LLM_ROUTER_ADDRESS");
  CHECK(ResolveAddress("") == "127.0.0.1:50000");
  setenv("LLM_ROUTER_ADDRESS", "broker:50000", 1);
  CHECK(ResolveAddress("") == "broker:50000");
  CHECK(ResolveAddress("other:1") == "other:1");
  setenv("LLM_ROUTER_ADDRESS", "", 1);
  CHECK(ResolveAddress("") == "127.0.0.1:50000");
  unsetenv("LLM_ROUTER_ADDRESS");
}

TEST_CASE("an address is a host and a port") {
  for (const char* good : {"127.0.0.1:50000", "localhost:1", "a.b-c.d:65535", "[::1]:50000"}) {
    CAPTURE(good);
    CHECK(CheckAddress(good).ok());
  }
  for (const char* bad :
       {"", "localhost", "localhost:", ":50000", "localhost:0", "localhost:65536", "a b:1", "::1:50000",
        "http://localhost:50000", "kubemq://h:1", "h:1/x", "h:-1", "[]:1", "[::1]"}) {
    CAPTURE(bad);
    const auto status = CheckAddress(bad);
    REQUIRE_FALSE(status.ok());
    CHECK_THAT(std::string(MessageOf(status)), Catch::Contains("HOST:PORT"));
  }
}

}  // namespace
}  // namespace llm_router::client
