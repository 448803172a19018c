// A data race on purpose: two threads of ours, one of them the loop's, write without a lock. ThreadSanitizer
// must report it with tsan_suppressions.txt in force; its test fails when it does not.
#include <atomic>
#include <cstdio>
#include <thread>

#include "broker_adapters/base/loop.h"

namespace {

int seeded = 0;
// Relaxed, so that it orders the two writes in time and by nothing that would make them no race.
std::atomic<bool> written = false;

void WriteSeeded() {
  ++seeded;
  written.store(true, std::memory_order_relaxed);
}

void WriteSecond() {
  while (!written.load(std::memory_order_relaxed)) std::this_thread::yield();
  ++seeded;
}

}  // namespace

int main() {
  llm_router::Loop loop;
  loop.Start();
  loop.Post([] { WriteSeeded(); });
  std::thread writer(WriteSecond);
  writer.join();
  loop.RunTask([]() -> llm_router::Awaitable<void> { co_return; });
  std::printf("%d\n", seeded);  // else the compiler sees that nobody asks
  return 0;
}
