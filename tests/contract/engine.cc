#include "tests/contract/engine.h"

#include <exception>

#include "broker_adapters/base/ids.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router::test {

Engine::Engine(Loop& loop, std::unique_ptr<Harness> harness)
    : tasks_(loop.executor()),
      changed_(std::make_shared<Signal>(loop.executor())),
      harness_(std::move(harness)),
      prefix_("contract_" + NewId()) {}

std::string Engine::Name(std::string_view suffix) const { return prefix_ + std::string(suffix); }

void OnEngine(std::function<Awaitable<void>(Engine&)> body) {
  Run([&body](Loop& loop) -> Awaitable<void> {
    auto harness = MakeHarness(loop);
    if (!harness) {
      WARN("skipped: this engine is not here");
      co_return;
    }
    Engine engine(loop, std::move(harness));
    std::exception_ptr failure;
    try {
      co_await body(engine);
    } catch (...) {
      failure = std::current_exception();
    }
    engine.tasks_.Cancel();
    co_await engine.harness_->Stop();
    co_await engine.tasks_.Join();
    if (failure) std::rethrow_exception(failure);
  });
}

bool HoldsQueries(const Caps& caps) { return caps.dispatch != Dispatch::kRandom; }

}  // namespace llm_router::test
