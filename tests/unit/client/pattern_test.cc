#include "client/pattern.h"

#include <set>

#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

Advice For(size_t count, size_t bytes, Urgency urgency) { return ChoosePattern(Work{count, bytes, urgency}); }

TEST_CASE("one short question that somebody waits for is asked with Ask") {
  const Advice advice = ChoosePattern(Work());
  CHECK(advice.pattern == Pattern::kSync);
  CHECK(advice.call == "Ask");
}

TEST_CASE("many questions are asked with AskMany, however urgent") {
  for (const Urgency urgency : {Urgency::kNow, Urgency::kSoon, Urgency::kWhenever}) {
    const Advice advice = For(400, 0, urgency);
    CHECK(advice.pattern == Pattern::kAsync);
    CHECK(advice.call == "AskMany");
    CHECK_THAT(advice.reason, Catch::Contains("400"));
  }
}

TEST_CASE("one question that is long or not urgent is asked with AskAsync") {
  for (const Advice& advice :
       {For(1, 0, Urgency::kSoon), For(1, 0, Urgency::kWhenever), For(1, 1'000'000, Urgency::kNow)}) {
    CHECK(advice.pattern == Pattern::kAsync);
    CHECK(advice.call == "AskAsync");
  }
}

TEST_CASE("each advice has a reason of its own") {
  std::set<std::string> reasons;
  for (const Advice& advice : {For(1, 0, Urgency::kNow), For(2, 0, Urgency::kNow), For(1, 0, Urgency::kSoon),
                               For(1, 0, Urgency::kWhenever), For(1, 1'000'000, Urgency::kNow)}) {
    reasons.insert(advice.reason);
  }
  CHECK(reasons.size() == 5);
  CHECK(NameOf(Pattern::kSync) == "sync");
  CHECK(NameOf(Pattern::kAsync) == "async");
}

}  // namespace
}  // namespace llm_router::client
