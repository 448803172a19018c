#include "router/config/settings.h"

#include <algorithm>

#include "router/config/nearest.h"
#include "router/config/place.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("every row of the table says what it is for and can be kept") {
  for (const Setting& row : AllSettings()) {
    INFO(row.path);
    CHECK_FALSE(row.help.empty());
    const bool scalar = row.kind == SettingKind::kText || row.kind == SettingKind::kInteger ||
                        row.kind == SettingKind::kChoice;
    const bool entry = NameOf(row) == "*" || NameOf(row) == "[]";
    CHECK((row.store != nullptr) == (scalar || entry));
    CHECK((row.check != nullptr || NameOf(row) != "*"));
    CHECK((row.check_name != nullptr) == (scalar && NameOf(row) == "*"));
    CHECK((row.most > 0) == (row.kind != SettingKind::kGroup && row.kind != SettingKind::kChoice));
    CHECK((row.kind == SettingKind::kChoice) == !row.choices.empty());
    CHECK((row.fallback.empty() || !row.required));
    CHECK((row.kind != SettingKind::kMap && row.kind != SettingKind::kList) ==
          (ChildrenOf(row).empty() ||
           NameOf(*ChildrenOf(row).front()).find_first_of("*[") == std::string_view::npos));
  }
}

TEST_CASE("every row but a top one has its parent before it") {
  std::vector<std::string_view> seen = {""};
  for (const Setting& row : AllSettings()) {
    INFO(row.path);
    const bool found = std::ranges::any_of(
        seen, [&](std::string_view parent) { return JoinPath(parent, NameOf(row)) == row.path; });
    CHECK(found);
    seen.push_back(row.path);
  }
}

struct Case {
  std::string_view path;
  std::string_view pattern;
  std::vector<std::string> steps;
};

TEST_CASE("a path finds its row, whatever dots its names have") {
  const auto row = GENERATE(values<Case>({
      {"log", "log", {"log"}},
      {"listen.grpc", "listen.grpc", {"listen", "grpc"}},
      {"routes.a.b.concurrency", "routes.*.concurrency", {"routes", "a.b", "concurrency"}},
      {"routes.concurrency.concurrency", "routes.*.concurrency", {"routes", "concurrency", "concurrency"}},
      {"routes.a.targets[12].model", "routes.*.targets[].model", {"routes", "a", "targets", "[12]", "model"}},
      {"providers.x", "providers.*", {"providers", "x"}},
  }));
  const auto place = FindPlace(row.path);
  REQUIRE(place);
  CHECK(place->setting->path == row.pattern);
  CHECK(place->steps == row.steps);
  CHECK(JoinSteps(place->steps) == row.path);
}

TEST_CASE("a path that is no setting's finds nothing") {
  const auto path = GENERATE(as<std::string_view>{}, "", ".", "listen.", "listen.x", "logs", "listengrpc");
  CHECK_FALSE(FindPlace(path));
}

TEST_CASE("a mistyped name finds the nearest, a strange one nothing") {
  constexpr std::string_view kNames[] = {"concurrency", "targets", "key"};
  CHECK(Nearest("concurency", kNames) == "concurrency");
  CHECK(Nearest("target", kNames) == "targets");
  CHECK(Nearest("kye", kNames) == std::nullopt);
  CHECK(Nearest("keys", kNames) == "key");
  CHECK(Nearest("weight", kNames) == std::nullopt);
  CHECK(Nearest(std::string(100'000, 'x'), kNames) == std::nullopt);
}

}  // namespace
}  // namespace llm_router
