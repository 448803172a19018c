#include "broker_adapters/nats/header_text.h"

#include <numeric>

#include "tests/support/catch.h"

namespace llm_router::nats {
namespace {

TEST_CASE("any bytes come back out of a header's value and name") {
  std::string every(256, '\0');
  std::iota(every.begin(), every.end(), '\0');
  for (const std::string& bytes :
       {every, std::string(), std::string("%"), std::string("%41"), std::string(" a b "),
        std::string("two\r\nlines"), std::string("llm-id"), std::string("Nats-Msg-Id")}) {
    CHECK(FromHeader(ToHeaderValue(bytes)) == bytes);
    CHECK(FromHeader(ToHeaderName(bytes)) == bytes);
    CHECK(ToHeaderValue(bytes).find_first_of("\r\n") == std::string::npos);
    CHECK_FALSE(ToHeaderValue(bytes).empty());
  }
}

TEST_CASE("what is readable stays so") {
  CHECK(ToHeaderValue("gpt-4o mini, \xc3\xa9") == "gpt-4o mini, \xc3\xa9");
  CHECK(ToHeaderName("max-tokens") == "max-tokens");
  CHECK(FromHeader("100% sure, 5%x") == "100% sure, 5%x");
}

TEST_CASE("no tag takes a name that NATS or we use") {
  CHECK(ToHeaderName("llm-id") == "%6clm-id");
  CHECK(ToHeaderName("nats-msg-id") == "%6eats-msg-id");
  CHECK(ToHeaderName("Llm-Id") == "%4clm-%49d");
  CHECK(ToHeaderName("Status") == "%53tatus");
}

}  // namespace
}  // namespace llm_router::nats
