#include "router/net/url_query.h"

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {

TEST_CASE("a URL's query is taken apart, its escapes read") {
  const auto query = ParseUrlQuery("client_id=me&channel=a%2Eb%3E&group=&flag&&text=two+words%26");
  REQUIRE(query.ok());
  CHECK(query->at("client_id") == "me");
  CHECK(query->at("channel") == "a.b>");
  CHECK(query->at("group").empty());
  CHECK(query->at("flag").empty());
  CHECK(query->at("text") == "two words&");
  CHECK(query->size() == 5);
  CHECK(ParseUrlQuery("")->empty());
}

TEST_CASE("a URL's query with a name twice, or an escape that is none, is refused") {
  for (const char* text : {"a=1&a=2", "a=%", "a=%4", "a=%zz", "%-1=x"}) {
    INFO(text);
    const auto query = ParseUrlQuery(text);
    CHECK_FALSE(query.ok());
    CHECK_FALSE(MessageOf(query.status()).empty());
  }
}

}  // namespace llm_router
