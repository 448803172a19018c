#include "router/providers/probe.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/providers/configured.h"
#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::Configured;
using test::Simulated;

// What a probe of the simulated provider of that type comes to.
Awaitable<absl::StatusOr<Probed>> ProbeOf(Simulated& simulated, Loop& loop, std::string type,
                                          std::string model) {
  HttpClient http(loop.executor());
  const ProviderRow& row = *FindProviderRow(type);
  Provider provider(row, *FindDialect(row.dialect), Configured("p", type));
  const HttpCall aimed = simulated.Call("POST", "");
  provider.Simulate(aimed.url);
  co_return co_await Probe(http, provider, model, aimed.deadline);
}

TEST_CASE("a provider of any type that works says which model answered, and how long it took") {
  test::WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    for (const ProviderRow& row : AllProviderRows()) {
      INFO(row.type);
      const auto probed = co_await ProbeOf(simulated, loop, std::string(row.type), "m");
      INFO(probed.status());
      REQUIRE(probed.ok());
      CHECK(probed->model == "m");
      CHECK(probed->latency >= Milliseconds(0));
    }
  });
}

TEST_CASE("a probe of a reasoning model is taken, too") {
  test::WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    CHECK((co_await ProbeOf(simulated, loop, "openai", "o4-mini")).ok());
  });
}

TEST_CASE("a provider that fails says what is wrong") {
  test::WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    const auto refused = co_await ProbeOf(simulated, loop, "openai", "m-sim-fault-401");
    CHECK(FaultOf(refused.status()) == Fault::kProviderAuth);
    const auto unknown = co_await ProbeOf(simulated, loop, "mistral", "m-sim-fault-404");
    CHECK_THAT(std::string(MessageOf(unknown.status())),
               Catch::StartsWith("provider p knows no such model (404): check the model and base_url"));
    const auto cut = co_await ProbeOf(simulated, loop, "openai", "m-sim-fault-reset");
    CHECK(FaultOf(cut.status()) == Fault::kProviderUnreachable);
  });
}

TEST_CASE("without a key nothing is sent") {
  test::WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    HttpClient http(loop.executor());
    const Providers providers = test::Resolved({Configured("openai", "openai")});
    const auto probed =
        co_await Probe(http, *providers.Find("openai"), "m", simulated.Call("POST", "").deadline);
    CHECK(FaultOf(probed.status()) == Fault::kProviderKeyMissing);
  });
}

}  // namespace
}  // namespace llm_router
