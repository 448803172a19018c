#include "router/config/problems.h"

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("no problem is no failure") { CHECK(Problems().ToStatus().ok()); }

TEST_CASE("problems past the fiftieth are counted, not told") {
  Problems problems;
  for (int i = 0; i < 60; ++i) problems.Add("path", "is wrong: mend it", "f:1");
  const absl::Status status = problems.ToStatus();
  CHECK_THAT(std::string(MessageOf(status)),
             Catch::StartsWith("configuration has 60 problems:\n  path: is wrong: mend it (f:1)\n") &&
                 Catch::EndsWith("\n  and 10 more"));
}

}  // namespace
}  // namespace llm_router
