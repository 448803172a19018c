#include "broker_adapters/base/one_shot.h"

#include <thread>

#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

TEST_CASE("a one-shot hands over a value set before, or during, the wait") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<int> before(loop.executor());
    before.Set(1);
    CHECK(co_await before.Wait(TimePoint::max()) == 1);
    OneShot<int> during(loop.executor());
    std::thread setter([&] { loop.Post([&] { during.Set(2); }); });
    CHECK(co_await during.Wait(TimePoint::max()) == 2);
    setter.join();
  });
}

TEST_CASE("only the first value of a one-shot counts") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<int> value(loop.executor());
    CHECK(value.Set(1));
    CHECK_FALSE(value.Set(2));
    CHECK(co_await value.Wait(TimePoint::max()) == 1);
  });
}

TEST_CASE("a one-shot gives up at its deadline") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<int> value(loop.executor());
    CHECK_FALSE((co_await value.Wait(Now() + Milliseconds(1))).has_value());
  });
}

}  // namespace
}  // namespace llm_router
