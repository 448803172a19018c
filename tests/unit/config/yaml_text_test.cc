#include "router/config/yaml_text.h"

#include <functional>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

SettingNode Parsed(std::string_view text) {
  auto root = ParseYaml(text, "t.yaml");
  REQUIRE(root.ok());
  return *std::move(root);
}

bool Same(const SettingNode& one, const SettingNode& other) {
  if (one.kind != other.kind || one.key != other.key || one.text != other.text) return false;
  return std::equal(one.children.begin(), one.children.end(), other.children.begin(), other.children.end(),
                    Same);
}

TEST_CASE("what is written reads back as the same tree") {
  const auto text =
      GENERATE(as<std::string_view>{}, "a: 1\nb: {c: [x, {d: 2, e: [3]}], f: g}\n",
               "a: \"***\"\nb: \"\"\nc: \"null\"\nd: \"- x\"\ne: \"a: b # c\"\n\"f: g\": \"~\"\n",
               "a: \"line\\nline\\ttab \\u00e4\"\n", "a: {}\nb: []\nc:\n", "- - 1\n  - 2\n- {a: 1}\n",
               "a: \"x:\"\nb: \"${NAME}\"\nc: -1\nd: .5\n");
  const SettingNode root = Parsed(text);
  CHECK(Same(Parsed(ToYaml(root, false)), root));
  CHECK(Same(Parsed(ToYaml(root, true)), root));
}

TEST_CASE("origins stand behind the values") {
  CHECK(ToYaml(Parsed("a:\n  b: 1\nc: [x]\n"), true) == "a:\n  b: 1  # t.yaml:2\nc:\n  - x  # t.yaml:3\n");
}

}  // namespace
}  // namespace llm_router
