#include "router/config/env_file.h"

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("a .env file has names, quotes, comments and export") {
  const auto values = ParseEnvFile(
      "\xEF\xBB\xBF# keys\r\n"
      "A=1\r\n"
      "  export B = two words  # a comment\n"
      "C=\"quoted # not a comment\"  # one\n"
      "D='$raw \\n \"x\"'\n"
      "E=\"line\\n\\\"two\\\" \\$x\"\n"
      "F=\"first\nsecond\"\n"
      "G=\n"
      "H=a#b\n"
      "I=#nothing\n"
      "\n"
      "A=last one counts",
      ".env");
  REQUIRE(values.ok());
  CHECK(*values == Environment{{"A", "last one counts"},
                               {"B", "two words"},
                               {"C", "quoted # not a comment"},
                               {"D", "$raw \\n \"x\""},
                               {"E", "line\n\"two\" $x"},
                               {"F", "first\nsecond"},
                               {"G", ""},
                               {"H", "a#b"},
                               {"I", ""}});
}

struct Refused {
  std::string_view text;
  std::string_view place;
};

TEST_CASE("a line that is no assignment is refused by its number, without its words") {
  const auto row = GENERATE(values<Refused>({
      {"A=1\nsecret", ".env:2: "},
      {"=secret", ".env:1: "},
      {"1A=secret", ".env:1: "},
      {"A B=secret", ".env:1: "},
      {"\n\nA=\"secret", ".env:3: "},
      {"A='secret' secret", ".env:1: "},
  }));
  const auto values = ParseEnvFile(row.text, ".env");
  REQUIRE_FALSE(values.ok());
  CHECK_THAT(std::string(MessageOf(values.status())),
             Catch::StartsWith(std::string(row.place) + "is not NAME=VALUE") && !Catch::Contains("secret"));
}

}  // namespace
}  // namespace llm_router
