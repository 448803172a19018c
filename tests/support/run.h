// Runs a coroutine test body on a loop of its own, on the test's thread, until it ends.
//
//   Run([](Loop& loop) -> Awaitable<void> { ... REQUIRE(...); co_return; });
#pragma once

#include <functional>

#include "broker_adapters/base/loop.h"

namespace llm_router::test {

// What a failed REQUIRE throws comes out here, after the loop has stopped.
inline void Run(const std::function<Awaitable<void>(Loop&)>& body) {
  Loop loop;
  loop.RunUntilDone([&] { return body(loop); });
}

}  // namespace llm_router::test
