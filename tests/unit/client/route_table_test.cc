#include "client/route_table.h"

#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

contract::Heartbeat Beat(std::string worker, std::string route, std::vector<std::string> models,
                         int64_t in_flight) {
  contract::Heartbeat beat;
  beat.worker = std::move(worker);
  contract::RouteBeat& row = beat.routes.emplace_back();
  row.route = std::move(route);
  row.models = std::move(models);
  row.in_flight = in_flight;
  row.capacity = 10;
  return beat;
}

TEST_CASE("workers of one route are summed, and their models listed once") {
  RouteTable table;
  table.Add(Beat("a", "openai", {"m1", "m2"}, 1));
  table.Add(Beat("b", "openai", {"m2", "m3"}, 2));
  table.Add(Beat("b", "claude", {"c"}, 0));  // a worker's newest beat replaces the one before
  table.Add(Beat("c", "openai", {"m1"}, 4));
  const auto routes = table.Routes();
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].name == "claude");
  CHECK(routes[1].name == "openai");
  CHECK(routes[1].models == std::vector<std::string>{"m1", "m2"});
  CHECK(routes[1].workers == 2);
  CHECK(routes[1].in_flight == 5);
  CHECK(routes[1].capacity == 20);
}

TEST_CASE("a worker's last heartbeat takes it off the list") {
  RouteTable table;
  table.Add(Beat("a", "openai", {"m"}, 1));
  contract::Heartbeat last;
  last.worker = "a";
  last.leaving = true;
  table.Add(last);
  CHECK(table.Routes().empty());
}

}  // namespace
}  // namespace llm_router::client
