#include "router/providers/quirk.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using enum Quirk::Kind;

constexpr std::string_view kModels[] = {"o1", "gpt-5"};
constexpr std::string_view kNot[] = {"chat"};

struct Case {
  Quirk quirk;
  std::string_view body;
  std::string_view expected;
  Warnings warnings;
};

TEST_CASE("a quirk changes what it names, and tells what it takes away") {
  const auto row = GENERATE(values<Case>({
      // renamed
      {{.kind = kRename, .field = "a", .to = "b"}, R"({"x":1.50,"a":7})", R"({"x":1.50,"b":7})", {}},
      {{.kind = kRename, .field = "a", .to = "b"}, R"({"b":1,"a":2})", R"({"b":2})", {"b dropped"}},
      {{.kind = kRename, .field = "a", .to = "b"}, R"({"b":null,"a":2})", R"({"b":2})", {}},
      // dropped
      {{.kind = kDrop, .field = "a"}, R"({"a":7,"x":[1, 2]})", R"({"x":[1, 2]})", {"a dropped"}},
      {{.kind = kDrop, .field = "a"}, R"({"a":null})", "{}", {}},
      {{.kind = kDrop, .field = "a"}, R"({"a":false})", "{}", {}},
      {{.kind = kDrop, .field = "a", .neutral = "true"}, R"({"a":false})", "{}", {"a dropped"}},
      {{.kind = kDrop, .field = "a", .neutral = "1"}, R"({"a":1.0})", "{}", {}},
      {{.kind = kDrop, .field = "a", .neutral = "1"}, R"({"a":0.9})", "{}", {"a dropped"}},
      {{.kind = kDrop, .field = "a", .neutral = "{}"}, R"({"a":{}})", "{}", {}},
      {{.kind = kDrop, .field = "a", .neutral = R"("auto")"}, R"({"a":"auto"})", "{}", {}},
      {{.kind = kDrop, .field = "a", .beside = "b"}, R"({"a":7,"b":1})", R"({"b":1})", {"a dropped"}},
      // within a range
      {{.kind = kRange, .field = "a", .least = 0, .most = 1.5},
       R"({"a":2,"x":1})",
       R"({"a":1.5,"x":1})",
       {"a 2 sent as 1.5"}},
      {{.kind = kRange, .field = "a", .least = 0, .most = 1},
       R"({"a":-0.5})",
       R"({"a":0})",
       {"a -0.5 sent as 0"}},
      // messages
      {{.kind = kRole, .field = "system", .to = "developer"},
       R"({"messages":[{"role":"system","content":"\u00e9"}, {"role":"user", "content":"system"}]})",
       R"({"messages":[{"role":"developer","content":"\u00e9"},{"role":"user", "content":"system"}]})",
       {}},
      {{.kind = kMessageField, .field = "name"},
       R"({"messages":[{"role":"user","name":"ann"},{"role":"user","name":null}],"name":"x"})",
       R"({"messages":[{"role":"user"},{"role":"user"}],"name":"x"})",
       {"name of a message dropped"}},
  }));
  INFO(row.body);
  Warnings warnings;
  CHECK(ApplyQuirks(std::span(&row.quirk, 1), "m", std::string(row.body), warnings) == row.expected);
  CHECK(warnings == row.warnings);
}

TEST_CASE("a body that no quirk concerns stays byte for byte") {
  constexpr Quirk kQuirks[] = {
      {.kind = kRename, .field = "a", .to = "b"},
      {.kind = kDrop, .field = "a"},
      {.kind = kDrop, .field = "top_p", .beside = "temperature"},
      {.kind = kRange, .field = "n", .least = 0, .most = 1},
      {.kind = kRole, .field = "system", .to = "developer"},
      {.kind = kMessageField, .field = "name"},
      {.kind = kDrop, .field = "model", .models = kModels},
  };
  const auto body =
      GENERATE(as<std::string>{}, R"({ "x" : 1 , "n":0.5 ,"top_p":1, "temperature":null})",
               R"({"n":"many","messages":7})",
               R"({"messages":[ 7, [], {"role":7}, {"role" : "user", "content":"name, system"} ]})",
               R"({"model":"m"})");
  Warnings warnings;
  CHECK(ApplyQuirks(kQuirks, "m", body, warnings) == body);
  CHECK(warnings.empty());
}

TEST_CASE("quirks are applied in their order") {
  constexpr Quirk kQuirks[] = {{.kind = kRename, .field = "a", .to = "b"},
                               {.kind = kRange, .field = "b", .least = 0, .most = 1}};
  Warnings warnings;
  CHECK(ApplyQuirks(kQuirks, "m", R"({"a":9})", warnings) == R"({"b":1})");
}

TEST_CASE("a quirk holds for the models whose names begin as it says, but for its exceptions") {
  const Quirk quirk{.kind = kDrop, .field = "a", .models = kModels, .except = kNot};
  CHECK(HoldsFor(quirk, "o1"));
  CHECK(HoldsFor(quirk, "gpt-5-mini"));
  CHECK_FALSE(HoldsFor(quirk, "gpt-4o1"));
  CHECK_FALSE(HoldsFor(quirk, "gpt-5-chat-latest"));
  CHECK_FALSE(HoldsFor(quirk, ""));
  CHECK(HoldsFor(Quirk{.kind = kDrop, .field = "a"}, "anything"));
}

}  // namespace
}  // namespace llm_router
