#include "client/pattern.h"

#include <set>

#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

Advice For(size_t count, size_t bytes, Urgency urgency) {
  return ChoosePattern(Work{count, bytes, urgency, false});
}

TEST_CASE("one short question that somebody waits for is asked with Ask") {
  const Advice advice = ChoosePattern(Work());
  CHECK(advice.pattern == Pattern::kSync);
  CHECK(advice.call == "Ask");
}

TEST_CASE("many questions that are waited for are asked with AskMany") {
  for (const Urgency urgency : {Urgency::kNow, Urgency::kSoon}) {
    const Advice advice = For(400, 0, urgency);
    CHECK(advice.pattern == Pattern::kAsync);
    CHECK(advice.call == "AskMany");
    CHECK_THAT(advice.reason, Catch::Contains("400"));
  }
}

TEST_CASE("one question that is long or not urgent is asked with AskAsync") {
  for (const Advice& advice : {For(1, 0, Urgency::kSoon), For(1, 1'000'000, Urgency::kNow)}) {
    CHECK(advice.pattern == Pattern::kAsync);
    CHECK(advice.call == "AskAsync");
  }
}

TEST_CASE("what nobody waits for, must survive, or is very much is given to the server") {
  Work precious;
  precious.must_survive = true;
  for (const Advice& advice : {ChoosePattern(precious), For(1, 0, Urgency::kWhenever)}) {
    CHECK(advice.pattern == Pattern::kBatch);
    CHECK(advice.call == "Submit");
  }
  precious.count = 2;
  for (const Advice& advice :
       {ChoosePattern(precious), For(2, 0, Urgency::kWhenever), For(20'000, 0, Urgency::kNow)}) {
    CHECK(advice.pattern == Pattern::kBatch);
    CHECK(advice.call == "SubmitBatch");
  }
}

TEST_CASE("each advice has a reason of its own") {
  Work precious;
  precious.must_survive = true;
  std::set<std::string> reasons;
  for (const Advice& advice : {For(1, 0, Urgency::kNow), For(2, 0, Urgency::kNow), For(1, 0, Urgency::kSoon),
                               For(1, 0, Urgency::kWhenever), For(1, 1'000'000, Urgency::kNow),
                               For(20'000, 0, Urgency::kNow), ChoosePattern(precious)}) {
    reasons.insert(advice.reason);
  }
  CHECK(reasons.size() == 7);
  CHECK(NameOf(Pattern::kSync) == "sync");
  CHECK(NameOf(Pattern::kAsync) == "async");
  CHECK(NameOf(Pattern::kBatch) == "batch");
}

}  // namespace
}  // namespace llm_router::client
