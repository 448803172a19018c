// A data race on purpose: two threads of ours, one of them the loop's, write without a lock. ThreadSanitizer
// must report it with tsan_suppressions.txt in force; its test fails when it does not.
#include <cstdio>
#include <thread>

#include "broker_adapters/base/loop.h"

namespace {

int seeded = 0;

void WriteSeeded() { ++seeded; }

}  // namespace

int main() {
  llm_router::Loop loop;
  loop.Start();
  loop.Post([] { WriteSeeded(); });
  std::thread writer(WriteSeeded);
  writer.join();
  loop.RunTask([]() -> llm_router::Awaitable<void> { co_return; });
  std::printf("%d\n", seeded);  // else the compiler sees that nobody asks
  return 0;
}
