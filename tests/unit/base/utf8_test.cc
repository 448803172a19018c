#include "broker_adapters/base/utf8.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("well-formed characters of every length are UTF-8") {
  for (const char* text :
       {"", "plain", "é", "€", "𝄞", "long enough for eight at once, é", "\xF4\x8F\xBF\xBF"})
    CHECK_FALSE(FirstBadUtf8(text).has_value());
}

TEST_CASE("the first byte of no character is found") {
  CHECK(FirstBadUtf8("caf\xe9") == 3);
  CHECK(FirstBadUtf8("\x80") == 0);
  CHECK(FirstBadUtf8("\xC0\x80") == 0);          // overlong
  CHECK(FirstBadUtf8("\xE0\x9F\xBF") == 0);      // overlong
  CHECK(FirstBadUtf8("a\xED\xA0\x80") == 1);     // a surrogate
  CHECK(FirstBadUtf8("\xF4\x90\x80\x80") == 0);  // past the last character
  CHECK(FirstBadUtf8("12345678\xE2\x82") == 8);  // cut off
}

TEST_CASE("an excerpt is short, on one line and UTF-8") {
  CHECK(Excerpt("short") == "short");
  CHECK(Excerpt("a\nb\x01") == "a b ");
  CHECK(Excerpt("ab\xff") == "ab?");
  CHECK(Excerpt("éééé", 5) == "éé...");
  CHECK_FALSE(FirstBadUtf8(Excerpt(std::string(1000, '\xC3'))).has_value());
}

}  // namespace
}  // namespace llm_router
