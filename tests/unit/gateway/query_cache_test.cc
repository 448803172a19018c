#include "router/gateway/query_cache.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

Reply ReplyOf(std::string body) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(body);
  return reply;
}

TEST_CASE("a reply is kept until it expires") {
  QueryCache cache;
  const TimePoint now{};
  cache.Keep("k", ReplyOf("body"), now + std::chrono::seconds(2));
  REQUIRE(cache.Find("k", now + std::chrono::seconds(1)));
  CHECK(cache.Find("k", now + std::chrono::seconds(1))->message.body == "body");
  CHECK_FALSE(cache.Find("k", now + std::chrono::seconds(2)));
  CHECK_FALSE(cache.Find("k", now));
}

TEST_CASE("tenants, channels and keys are apart") {
  CHECK(QueryCache::Key("a", "b", "c") != QueryCache::Key("a", "bc", ""));
  CHECK(QueryCache::Key("a", "b", "c") != QueryCache::Key("ab", "", "c"));
}

TEST_CASE("beyond its bounds the cache forgets what was longest unused") {
  const TimePoint now{};
  const TimePoint later = now + std::chrono::hours(1);
  QueryCache few(2);
  few.Keep("a", ReplyOf("1"), later);
  few.Keep("b", ReplyOf("2"), later);
  CHECK(few.Find("a", now));
  few.Keep("c", ReplyOf("3"), later);
  CHECK(few.Find("a", now));
  CHECK_FALSE(few.Find("b", now));

  QueryCache small(100, 1'000);
  small.Keep("a", ReplyOf(std::string(600, 'x')), later);
  small.Keep("b", ReplyOf(std::string(600, 'x')), later);
  CHECK_FALSE(small.Find("a", now));
  CHECK(small.Find("b", now));
  small.Keep("c", ReplyOf(std::string(2'000, 'x')), later);
  CHECK_FALSE(small.Find("c", now));
  CHECK(small.Find("b", now));
}

}  // namespace
}  // namespace llm_router
