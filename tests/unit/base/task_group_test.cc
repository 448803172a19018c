#include "broker_adapters/base/task_group.h"

#include "broker_adapters/base/one_shot.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

TEST_CASE("a task starts only after its spawner gave way") {
  Run([](Loop& loop) -> Awaitable<void> {
    TaskGroup group(loop.executor());
    bool ran = false;
    group.Spawn([](bool& flag) -> Awaitable<void> {
      flag = true;
      co_return;
    }(ran));
    CHECK_FALSE(ran);
    co_await group.Join();
    CHECK(ran);
  });
}

TEST_CASE("a started task runs to its first wait before its starter goes on") {
  Run([](Loop& loop) -> Awaitable<void> {
    TaskGroup group(loop.executor());
    int step = 0;
    const auto id = group.Start([](int& at) -> Awaitable<void> {
      at = 1;
      if (!co_await Sleep(Now() + std::chrono::hours(1))) at = 2;
    }(step));
    CHECK(step == 1);
    group.Cancel(id);
    co_await group.Join();
    CHECK(step == 2);
    group.Start([](int& at) -> Awaitable<void> {
      at = 3;
      co_return;
    }(step));
    CHECK(step == 3);
    co_await group.Join();
  });
}

TEST_CASE("a cancelled task wakes from its wait and from every later one") {
  Run([](Loop& loop) -> Awaitable<void> {
    TaskGroup group(loop.executor());
    int interrupted = 0;
    const auto id = group.Spawn([](int& count) -> Awaitable<void> {
      for (int i = 0; i < 3; ++i) {
        if (!co_await Sleep(Now() + std::chrono::hours(1))) ++count;
      }
    }(interrupted));
    group.Spawn([](TaskGroup& tasks, TaskGroup::TaskId victim) -> Awaitable<void> {
      tasks.Cancel(victim);
      co_return;
    }(group, id));
    co_await group.Join();
    CHECK(interrupted == 3);
  });
}

TEST_CASE("a task spawned into a cancelled group, or cancelled before it began, starts cancelled") {
  Run([](Loop& loop) -> Awaitable<void> {
    TaskGroup group(loop.executor());
    int interrupted = 0;
    const auto body = [](int& count) -> Awaitable<void> {
      OneShot<int> never(co_await boost::asio::this_coro::executor);
      if (!co_await never.Wait(TimePoint::max())) ++count;
    };
    group.Cancel(group.Spawn(body(interrupted)));
    group.Cancel();
    group.Spawn(body(interrupted));
    group.Start(body(interrupted));
    co_await group.Join();
    CHECK(interrupted == 3);
  });
}

TEST_CASE("an exception ends its task and no other") {
  Run([](Loop& loop) -> Awaitable<void> {
    TaskGroup group(loop.executor());
    bool other = false;
    group.Spawn([]() -> Awaitable<void> {
      throw std::runtime_error("on purpose");
      co_return;
    }());
    group.Spawn([](bool& flag) -> Awaitable<void> {
      flag = true;
      co_return;
    }(other));
    co_await group.Join();
    CHECK(other);
  });
}

}  // namespace
}  // namespace llm_router
