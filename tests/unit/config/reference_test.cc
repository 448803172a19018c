// What is printed from the table of settings. That the example file can be used, and the schema accepts and
// refuses what it should, is an end-to-end test's: tests/end_to_end/test_config.py.
#include "router/config/reference.h"

#include <nlohmann/json.hpp>
#include <regex>

#include "router/config/schema.h"
#include "router/config/settings.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("every row is in the reference and in the example") {
  const std::string reference = SettingsReference();
  const std::string example = SettingsExample();
  for (const Setting& row : AllSettings()) {
    INFO(row.path);
    if (row.kind != SettingKind::kGroup) {
      CHECK_THAT(reference, Catch::Contains("| `" + std::string(row.path) + "` |"));
    }
    const std::string_view name = NameOf(row);
    if (name != "*" && name != "[]") CHECK_THAT(example, Catch::Contains(std::string(name) + ":"));
  }
}

TEST_CASE("a value that must be given has an example") {
  for (const Setting& row : AllSettings()) {
    INFO(row.path);
    const bool scalar = row.kind == SettingKind::kText || row.kind == SettingKind::kInteger;
    CHECK((!scalar || !row.required || !row.example.empty()));
  }
}

TEST_CASE("a row's pattern says what its check says") {
  const std::vector<std::string> samples = {"a",
                                            "a.b",
                                            "a..b",
                                            ".a",
                                            "a.",
                                            "llm",
                                            "llm_x",
                                            "stream",
                                            "a b",
                                            "",
                                            "a/b",
                                            "\xC3\xA4",
                                            "A-1_2.c",
                                            "http://h",
                                            "https://h:1/v1",
                                            "http://",
                                            "ftp://h",
                                            "http://u@h/",
                                            "https://h/v1?x=1",
                                            "http://h/#x"};
  for (const Setting& row : AllSettings()) {
    if (row.pattern.empty()) continue;
    const std::regex pattern{std::string(row.pattern)};
    for (const std::string& sample : samples) {
      if (sample.empty() && row.least == 0) continue;  // an empty value is none
      CAPTURE(row.path, sample);
      CHECK(std::regex_search(sample, pattern) == row.check(sample).ok());
    }
  }
}

TEST_CASE("the schema is JSON and closed at every level") {
  const auto schema = nlohmann::json::parse(SettingsSchema(), nullptr, false);
  REQUIRE(schema.is_object());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["listen"]["additionalProperties"] == false);
  CHECK(schema["properties"]["routes"]["additionalProperties"] == false);
}

}  // namespace
}  // namespace llm_router
