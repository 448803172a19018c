#include "broker_adapters/base/secret.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("a secret redacts every quotation of itself") {
  const Secret key("sk-123");
  CHECK(key.Redact("bad key sk-123, I said sk-123") == "bad key ***, I said ***");
  CHECK(Secret().Redact("nothing to hide") == "nothing to hide");
}

TEST_CASE("a moved secret leaves nothing behind") {
  Secret from("a key longer than the small string buffer");
  const Secret to = std::move(from);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(to.Reveal() == "a key longer than the small string buffer");
}

}  // namespace
}  // namespace llm_router
