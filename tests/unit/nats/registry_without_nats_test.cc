// The table of engines as it is in a build without libnats.
#include <string>

#include "broker_adapters/registry.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("a build without libnats says what is missing when it is given a NATS URL") {
  BrokerOptions options;
  options.url = "nats://127.0.0.1:4222";
  for (const absl::Status& status : {CheckBrokerUrl(options.url), CheckBrokerOptions(options)}) {
    CHECK(FaultOf(status) == Fault::kNotSupported);
    CHECK(std::string(status.message()) ==
          "names an engine that this build is without: install libnats-dev and build it again, or write "
          "embedded:DIR");
  }
}

TEST_CASE("a build without libnats has the other engines") {
  CHECK(CheckBrokerUrl("embedded:./data").ok());
  CHECK(CheckBrokerUrl("kubemq://127.0.0.1:50000").ok());
  CHECK(FaultOf(CheckBrokerUrl("carrier-pigeon://x")) == Fault::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router
