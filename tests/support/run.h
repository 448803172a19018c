// Runs a coroutine test body on a loop of its own, on the test's thread, until it ends.
//
//   Run([](Loop& loop) -> Awaitable<void> { ... REQUIRE(...); co_return; });
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>

#include "broker_adapters/base/loop.h"

namespace llm_router::test {

inline Awaitable<void> RunBody(const std::function<Awaitable<void>(Loop&)>& body, Loop& loop) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await body(loop);
}

// What a failed REQUIRE throws comes out here, after the loop has stopped.
inline void Run(const std::function<Awaitable<void>(Loop&)>& body) {
  Loop loop;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop.executor(), RunBody(body, loop), [&](std::exception_ptr escaped) {
    failure = escaped;
    loop.Stop();
  });
  loop.Run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace llm_router::test
