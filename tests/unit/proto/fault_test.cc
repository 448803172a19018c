#include "proto/fault.h"

#include <set>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("every fault has a name of its own and comes back from the status that carries it") {
  std::set<std::string_view> names;
  for (const FaultRow& row : AllFaults()) {
    CHECK(names.insert(row.name).second);
    CHECK(FaultNamed(row.name) == row.fault);
    CHECK(FaultOf(MakeFault(row.fault, "why")) == row.fault);
    CHECK(row.http >= 400);
  }
}

TEST_CASE("context added on the way up keeps the fault and the wait") {
  const auto status = Annotate(MakeFault(Fault::kProviderBusy, "busy", std::chrono::seconds(3)), "openai");
  CHECK(FaultOf(status) == Fault::kProviderBusy);
  CHECK(RetryAfterOf(status) == std::chrono::milliseconds(3000));
  CHECK(status.message() == "openai: busy");
}

TEST_CASE("a status made elsewhere is read by its code") {
  CHECK(FaultOf(absl::DeadlineExceededError("late")) == Fault::kTimeout);
  CHECK(FaultOf(absl::UnknownError("?")) == Fault::kInternal);
  CHECK_FALSE(RetryAfterOf(absl::UnknownError("?")).has_value());
}

}  // namespace
}  // namespace llm_router
