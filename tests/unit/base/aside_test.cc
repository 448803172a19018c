#include "broker_adapters/base/aside.h"

#include <string>
#include <thread>

#include "broker_adapters/base/task_group.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

TEST_CASE("work is done on another thread, and its result comes back to the loop's") {
  Run([](Loop& loop) -> Awaitable<void> {
    Aside aside(loop.executor());
    const auto here = std::this_thread::get_id();
    const auto there = co_await aside.Run<std::thread::id>([] { return std::this_thread::get_id(); });
    REQUIRE(there.has_value());
    CHECK(*there != here);
    CHECK(std::this_thread::get_id() == here);
    CHECK(co_await aside.Run<std::string>([] { return std::string("text"); }) == "text");
    co_await aside.Stop();
  });
}

Awaitable<void> Ask(Aside& aside, bool& done, std::optional<bool>& answer) {
  answer = co_await aside.Run<bool>([&done] { return done = true; });
}

TEST_CASE("work whose coroutine was cancelled is done all the same before a stop returns") {
  Run([](Loop& loop) -> Awaitable<void> {
    Aside aside(loop.executor());
    TaskGroup tasks(loop.executor());
    bool done = false;
    std::optional<bool> answer;
    tasks.Spawn(Ask(aside, done, answer));
    tasks.Cancel();
    co_await tasks.Join();
    co_await aside.Stop();
    CHECK(done);
    CHECK_FALSE(answer.has_value());
  });
}

TEST_CASE("a stop without work before it starts no thread") {
  Run([](Loop& loop) -> Awaitable<void> {
    Aside aside(loop.executor());
    co_await aside.Stop();
  });
}

}  // namespace
}  // namespace llm_router
