#include "router/roster/roster.h"

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

contract::Heartbeat BeatOf(std::string route) {
  contract::Heartbeat beat;
  beat.worker = "w1";
  beat.routes.emplace_back().route = std::move(route);
  return beat;
}

// A worker of the same process beats first in the turn of the loop in which the doors began; its next beat is
// a second later.
TEST_CASE("a beat right after the start is heard") {
  Run([](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeEmbeddedBroker(loop.executor(), EmbeddedOptions());
    Roster roster(*broker, loop.executor());
    OneShot<bool> heard(loop.executor());
    roster.OnBeat([&heard] { heard.Set(true); });
    roster.Start();
    CHECK(broker->Publish(Message(std::string(contract::kHeartbeatChannel), ToJson(BeatOf("openai")))).ok());
    CHECK(co_await heard.Wait(Now() + std::chrono::seconds(10)));
    CHECK(roster.Serves("openai"));
    co_await roster.Stop();
    co_await broker->Stop();
  });
}

}  // namespace
}  // namespace llm_router
