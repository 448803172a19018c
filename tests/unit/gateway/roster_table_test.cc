#include "router/gateway/roster_table.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

contract::Heartbeat BeatOf(std::string worker, std::string route, std::vector<std::string> models) {
  contract::Heartbeat beat;
  beat.worker = std::move(worker);
  contract::RouteBeat& row = beat.routes.emplace_back();
  row.route = std::move(route);
  row.models = std::move(models);
  return beat;
}

TEST_CASE("a route is served as long as one of its workers beats") {
  RosterTable roster;
  const TimePoint start{};
  const auto at = [&](int ms) { return start + Milliseconds(ms); };
  CHECK_FALSE(roster.Serves("openai", at(0)));
  roster.Beat(BeatOf("w1", "openai", {"m"}), at(0));
  roster.Beat(BeatOf("w2", "openai", {"m"}), at(2'000));
  CHECK(roster.Serves("openai", at(3'000)));  // two beats of w1 missed
  CHECK(roster.Serves("openai", at(5'000)));  // w1 gone, w2 still there
  CHECK_FALSE(roster.Serves("openai", at(6'000)));
  CHECK_FALSE(roster.Serves("claude", at(2'000)));
}

TEST_CASE("a worker that says it leaves is gone at once, and so is a route it no longer names") {
  RosterTable roster;
  const TimePoint now{};
  roster.Beat(BeatOf("w", "a", {}), now);
  roster.Beat(BeatOf("w", "b", {}), now);
  CHECK_FALSE(roster.Serves("a", now));
  CHECK(roster.Serves("b", now));
  contract::Heartbeat last = BeatOf("w", "b", {});
  last.leaving = true;
  roster.Beat(last, now);
  CHECK_FALSE(roster.Serves("b", now));
}

TEST_CASE("routes are listed once, sorted, with all models of living workers") {
  RosterTable roster;
  const TimePoint now{};
  roster.Beat(BeatOf("w1", "openai", {"m1", "m2"}), now);
  roster.Beat(BeatOf("w2", "openai", {"m2", "m3"}), now);
  roster.Beat(BeatOf("w3", "claude", {"c"}), now);
  const auto routes = roster.Routes(now);
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].route == "claude");
  CHECK(routes[1].route == "openai");
  CHECK(routes[1].models == std::vector<std::string>{"m1", "m2", "m3"});
  CHECK(roster.Routes(now + std::chrono::seconds(10)).empty());
}

}  // namespace
}  // namespace llm_router
