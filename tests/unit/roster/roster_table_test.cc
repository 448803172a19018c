#include "router/roster/roster_table.h"

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

TEST_CASE("a jobs service that beats is known to those whose names come after its own") {
  RosterTable roster;
  const TimePoint now{};
  contract::Heartbeat beat;
  beat.worker = "b";
  roster.Beat(beat, now);
  CHECK_FALSE(roster.HasJobsServiceBefore("c", now));
  beat.jobs = true;
  roster.Beat(beat, now);
  CHECK(roster.HasJobsServiceBefore("c", now));
  CHECK_FALSE(roster.HasJobsServiceBefore("b", now));
  CHECK_FALSE(roster.HasJobsServiceBefore("a", now));
  CHECK_FALSE(roster.HasJobsServiceBefore("c", now + std::chrono::seconds(5)));
  beat.leaving = true;
  roster.Beat(beat, now);
  CHECK_FALSE(roster.HasJobsServiceBefore("c", now));
}

TEST_CASE("a worker's runs are alive through nine missed beats, and dead at once when it left") {
  using Life = RosterTable::Life;
  RosterTable roster;
  const TimePoint start{};
  const auto at = [&](int ms) { return start + Milliseconds(ms); };
  CHECK(roster.LifeOf("w", at(0)) == Life::kUnknown);
  roster.Beat(BeatOf("w", "openai", {}), at(0));
  roster.Beat(BeatOf("other", "openai", {}), at(9'000));
  CHECK(roster.LifeOf("w", at(9'900)) == Life::kAlive);
  CHECK_FALSE(roster.Serves("openai", at(20'000)));
  CHECK(roster.LifeOf("w", at(10'001)) == Life::kUnknown);
  contract::Heartbeat last = BeatOf("w", "openai", {});
  roster.Beat(last, at(11'000));
  last.leaving = true;
  roster.Beat(last, at(11'000));
  CHECK(roster.LifeOf("w", at(11'001)) == Life::kLeft);
}

TEST_CASE("the jobs that a route's living workers can have at work are counted together") {
  RosterTable roster;
  const TimePoint now{};
  for (const char* worker : {"w1", "w2"}) {
    contract::Heartbeat beat = BeatOf(worker, "openai", {});
    beat.routes[0].capacity = 10;
    beat.routes[0].job_capacity = 9;
    roster.Beat(beat, now);
  }
  CHECK(roster.JobCapacity("openai", now) == 18);
  CHECK(roster.JobCapacity("claude", now) == 0);
  CHECK(roster.JobCapacity("openai", now + std::chrono::seconds(4)) == 0);
}

}  // namespace
}  // namespace llm_router
