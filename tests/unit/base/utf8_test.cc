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

TEST_CASE("bytes that are no UTF-8 become U+FFFD, one each, and the rest stays") {
  CHECK(ToUtf8("caf\xC3\xA9") == "caf\xC3\xA9");
  CHECK(ToUtf8("") == "");
  CHECK(ToUtf8("\x80 a\xE9") == "\xEF\xBF\xBD a\xEF\xBF\xBD");
  CHECK(ToUtf8("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace llm_router
