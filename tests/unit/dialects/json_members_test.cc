#include "router/dialects/json_members.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("members change their names and values, and the bytes of the others stay") {
  JsonMembers members(R"({ "a" : 1.10 , "n\u0061me":"x", "list":[1, {"a":"]}"}] })");
  CHECK(members.Find("a") == "1.10");
  CHECK(members.Find("name") == "\"x\"");
  CHECK(members.Find("list") == R"([1, {"a":"]}"}])");
  CHECK(members.Find("none") == std::nullopt);
  CHECK_FALSE(members.changed());
  members.Rename("name", "na\"me");
  members.Replace("a", "2");
  CHECK(members.changed());
  CHECK(members.Text() == R"({"a":2,"na\"me":"x","list":[1, {"a":"]}"}]})");
  members.Erase("a");
  members.Erase("list");
  CHECK(members.Text() == R"({"na\"me":"x"})");
  members.Erase("na\"me");
  CHECK(members.Text() == "{}");
}

TEST_CASE("what is not there is not changed") {
  JsonMembers members(R"({"a":1})");
  members.Rename("b", "c");
  members.Replace("b", "2");
  members.Erase("b");
  CHECK_FALSE(members.changed());
}

TEST_CASE("an array is taken apart into its items") {
  CHECK(JsonItems(R"([ 1,"a,]" , {"x":[2,3]},[ ],null ])") ==
        std::vector<std::string_view>{"1", R"("a,]")", R"({"x":[2,3]})", "[ ]", "null"});
  CHECK(JsonItems("[]").empty());
  CHECK(JsonItems("[ ]").empty());
  CHECK(JsonItems("7").empty());
  CHECK(JsonItems(R"({"a":1})").empty());
}

TEST_CASE("a string is known however it is written") {
  CHECK(IsJsonString(R"("system")", "system"));
  CHECK(IsJsonString(R"("\u0073ystem")", "system"));
  CHECK_FALSE(IsJsonString(R"("systems")", "system"));
  CHECK_FALSE(IsJsonString("7", "7"));
  CHECK_FALSE(IsJsonString("\"", ""));
}

// The walk is only given what was validated, but must not leave the text in any case.
TEST_CASE("taking apart what is no JSON ends within the text") {
  for (const char* text : {"", "{", "{\"", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":[", "[", "[1", "[,",
                           "[[", "[\"", "]", "[1]x"}) {
    INFO(text);
    CHECK_FALSE(JsonMembers(text).Text().empty());
    CHECK(JsonItems(text).size() <= 2);
  }
}

TEST_CASE("a quote ends a text only behind an even number of backslashes") {
  JsonMembers members(R"({"a":"x\"y","b\\":"\\","c":"\\\"}","d\\\"":"\\\\"})");
  CHECK(members.Find("a") == R"("x\"y")");
  CHECK(members.Find("b\\") == R"("\\")");
  CHECK(members.Find("c") == R"("\\\"}")");
  CHECK(members.Find("d\\\"") == R"("\\\\")");
}

}  // namespace
}  // namespace llm_router
