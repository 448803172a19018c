#include "router/config/expand.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

struct Case {
  std::string_view text;
  std::string_view expanded;
  std::string_view variable;
  std::string_view unset;
};

TEST_CASE("variables are read wherever they stand in a value, once") {
  const Environment environment = {{"A", "1"}, {"B", "${A}"}, {"EMPTY", ""}};
  const auto row = GENERATE(values<Case>({
      {"", "", "", ""},
      {"plain $A {A}", "plain $A {A}", "", ""},
      {"${A}", "1", "A", ""},
      {"x${A}y${A}z", "x1y1z", "A", ""},
      {"${B}", "${A}", "B", ""},
      {"${C}", "", "C", "C"},
      {"${A}${C}${D}", "1", "A", "C"},
      {"${EMPTY}", "", "EMPTY", "EMPTY"},
      {"$${A}", "${A}", "", ""},
      {"$${A}${A}", "${A}1", "A", ""},
  }));
  const auto expanded = Expand(row.text, environment);
  REQUIRE(expanded.ok());
  CHECK(expanded->text == row.expanded);
  CHECK(expanded->variable == row.variable);
  CHECK(expanded->unset == row.unset);
}

TEST_CASE("a ${ that names no variable is refused") {
  const auto text = GENERATE(as<std::string_view>{}, "${", "${A", "${}", "${1A}", "${A B}", "${A:-default}");
  CHECK_FALSE(Expand(text, {}).ok());
}

}  // namespace
}  // namespace llm_router
