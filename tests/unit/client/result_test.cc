#include "client/result.h"

#include <memory>

#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

TEST_CASE("a result holds a value or an error, and says which") {
  const Result<int> seven(7);
  CHECK(seven.ok());
  CHECK(static_cast<bool>(seven));
  CHECK(*seven == 7);

  const Result<int> failed(Error{ErrorCode::kTimeout, "too late", std::nullopt});
  CHECK_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kTimeout);
  CHECK(failed.error().message == "too late");
}

TEST_CASE("the wrong side of a result throws a logic error that repeats the message") {
  Result<std::string> failed(Error{ErrorCode::kTimeout, "no answer in 5 s", std::nullopt});
  CHECK_THROWS_WITH(failed.value(), Catch::Contains("no answer in 5 s"));
  CHECK_THROWS_AS(*failed, std::logic_error);
  CHECK_THROWS_AS(failed->size(), std::logic_error);
  const Result<int> seven(7);
  CHECK_THROWS_AS(seven.error(), std::logic_error);
}

TEST_CASE("a value that can only be moved comes out of a result by moving it") {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  const std::unique_ptr<int> out = *std::move(result);
  CHECK(*out == 3);
}

TEST_CASE("a result of an error is told from a failure") {
  const Result<std::string> text(std::string("fine"));
  CHECK(text->size() == 4);
  CHECK(text.value() == "fine");
}

// The header repeats the set for users; this is what keeps the two alike.
TEST_CASE("every error code is called as its fault is") {
  const std::pair<ErrorCode, Fault> pairs[] = {
      {ErrorCode::kInternal, Fault::kInternal},
      {ErrorCode::kInvalidRequest, Fault::kInvalidRequest},
      {ErrorCode::kUnknownRoute, Fault::kUnknownRoute},
      {ErrorCode::kUnknownModel, Fault::kUnknownModel},
      {ErrorCode::kTooLarge, Fault::kTooLarge},
      {ErrorCode::kTimeout, Fault::kTimeout},
      {ErrorCode::kCancelled, Fault::kCancelled},
      {ErrorCode::kOverloaded, Fault::kOverloaded},
      {ErrorCode::kWorkerLost, Fault::kWorkerLost},
      {ErrorCode::kStorageFailed, Fault::kStorageFailed},
      {ErrorCode::kShuttingDown, Fault::kShuttingDown},
      {ErrorCode::kEngineUnavailable, Fault::kEngineUnavailable},
      {ErrorCode::kNotSupported, Fault::kNotSupported},
      {ErrorCode::kUnauthenticated, Fault::kUnauthenticated},
      {ErrorCode::kPermissionDenied, Fault::kPermissionDenied},
      {ErrorCode::kProviderKeyMissing, Fault::kProviderKeyMissing},
      {ErrorCode::kProviderRejected, Fault::kProviderRejected},
      {ErrorCode::kProviderAuth, Fault::kProviderAuth},
      {ErrorCode::kProviderBusy, Fault::kProviderBusy},
      {ErrorCode::kProviderFailed, Fault::kProviderFailed},
      {ErrorCode::kProviderTimeout, Fault::kProviderTimeout},
      {ErrorCode::kProviderUnreachable, Fault::kProviderUnreachable},
      {ErrorCode::kProviderBadReply, Fault::kProviderBadReply},
  };
  REQUIRE(std::size(pairs) == AllFaults().size());
  for (const auto& [code, fault] : pairs) CHECK(NameOf(code) == RowOf(fault).name);
}

}  // namespace
}  // namespace llm_router::client
