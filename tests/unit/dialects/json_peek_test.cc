#include "router/dialects/json_peek.h"

#include <string>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

bool MayHaveUsage(std::string_view json) { return MayHaveKey(json, {R"("usage")", R"("error")"}); }

TEST_CASE("a key is seen wherever it stands, in texts of any length") {
  for (size_t before = 0; before < 130; ++before) {
    for (const size_t after : {size_t{0}, size_t{1}, size_t{31}, size_t{64}}) {
      const std::string begin = R"({"content":")" + std::string(before, 'u') + "\",";
      const std::string end = R"(,"x":")" + std::string(after, 'e') + "\"}";
      INFO(before << " before, " << after << " after");
      CHECK(MayHaveUsage(begin + R"("usage":{})" + end));
      CHECK(MayHaveUsage(begin + R"("error" : 7)" + end));
      CHECK_FALSE(MayHaveUsage(begin + R"("usage":null)" + end));
      CHECK_FALSE(MayHaveUsage(begin + R"("usages":1)" + end));
    }
  }
}

TEST_CASE("null is no value of a key, but what follows it may be") {
  CHECK_FALSE(MayHaveUsage(R"({"usage":null,"error": null})"));
  CHECK(MayHaveUsage(R"({"usage":null,"choices":[],"usage":{"total_tokens":1}})"));
  CHECK(MayHaveUsage(R"({"usage":null,"error":{"message":"m"}})"));
  CHECK_FALSE(MayHaveUsage("{}"));
  CHECK_FALSE(MayHaveUsage(""));
}

TEST_CASE("what could be a key is taken for one: a string like it, a letter that is escaped") {
  CHECK(MayHaveUsage(R"({"content":"usage","usage" : 1})"));
  CHECK(MayHaveUsage(R"({"\u0075sage":{}})"));
  CHECK_FALSE(MayHaveUsage(R"({"content":"\u00e9\n\\"})"));
}

}  // namespace
}  // namespace llm_router
