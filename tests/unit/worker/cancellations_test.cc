#include "router/worker/cancellations.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

const TimePoint kLater = Now() + std::chrono::hours(1);

TEST_CASE("a cancel that came first meets its query once") {
  Cancellations early(10);
  early.Remember("q", kLater);
  CHECK(early.Take("q"));
  CHECK_FALSE(early.Take("q"));
  CHECK_FALSE(early.Take("other"));
}

TEST_CASE("early cancels are bounded, the oldest going first") {
  Cancellations early(3);
  for (const char* query : {"a", "b", "c", "d"}) early.Remember(query, kLater);
  CHECK(early.size() <= 3);
  CHECK_FALSE(early.Take("a"));
  CHECK(early.Take("d"));
}

TEST_CASE("a cancel whose query is over by its deadline is forgotten") {
  Cancellations early(10);
  early.Remember("over", Now() - Milliseconds(1));
  early.Remember("live", kLater);
  CHECK(early.size() == 1);
  CHECK(early.Take("live"));
}

}  // namespace
}  // namespace llm_router
