#include "router/config/tree.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

std::string Error(std::string_view text) {
  const auto tree = ParseYaml(text, "f.yaml");
  REQUIRE_FALSE(tree.ok());
  return std::string(MessageOf(tree.status()));
}

TEST_CASE("a tree keeps order, duplicates and lines") {
  const auto tree = ParseYaml("b: 1\na:\n  - x\n  - ~\nb: 2\n", "f.yaml");
  REQUIRE(tree.ok());
  REQUIRE(tree->children.size() == 3);
  CHECK(tree->children[0].key == "b");
  CHECK(tree->children[0].origin == "f.yaml:1");
  CHECK(tree->children[1].origin == "f.yaml:2");
  CHECK(tree->children[1].children[0].text == "x");
  CHECK(tree->children[1].children[1].kind == SettingNode::Kind::kNull);
  CHECK(tree->children[2].text == "2");
  CHECK(tree->Find("b")->text == "1");
  CHECK(tree->Find("c") == nullptr);
}

TEST_CASE("what is not YAML is refused with line and column") {
  CHECK_THAT(Error("a: [1, 2\nb: 3"), Catch::StartsWith("f.yaml:2:") && Catch::Contains("is not valid YAML"));
  CHECK_THAT(Error("a: \"open"), Catch::StartsWith("f.yaml:1:"));
  CHECK_THAT(Error("a: *nothing"), Catch::StartsWith("f.yaml:1:") && Catch::Contains("mend it there"));
  CHECK_THAT(Error("{ [1]: 2 }"), Catch::Contains("a key that is no text"));
}

TEST_CASE("tabs that indent are named as such") {
  CHECK_THAT(Error("listen:\n\tgrpc: 1\n"),
             Catch::StartsWith("f.yaml:2:") && Catch::EndsWith("indent with spaces, not with tabs"));
}

TEST_CASE("a second document is refused") {
  CHECK(Error("a: 1\n---\nb: 2\n") == "f.yaml: holds more than one YAML document: remove the lines ---");
}

TEST_CASE("aliases that multiply are bounded") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format(
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  CHECK_THAT(Error(bomb), Catch::Contains("more than 100,000 values"));
  CHECK_THAT(Error("a: &a [ *a ]"), Catch::Contains("an alias inside its own anchor"));
}

TEST_CASE("depth and size are bounded") {
  CHECK_THAT(Error(std::string(100'000, '[')), Catch::Contains("is not valid YAML"));
  CHECK_THAT(Error(std::string(65, '[') + std::string(65, ']')), Catch::Contains("more than 64 levels"));
  CHECK_THAT(Error(std::string(kMaxSettingsBytes + 1, ' ')), Catch::Contains("larger than 1 MiB"));
}

}  // namespace
}  // namespace llm_router
