#include "broker_adapters/incoming_stream.h"

#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/contract.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

Message Chunk(int64_t seq, std::string body) {
  Message event("stream", std::move(body));
  event.tags[std::string(contract::tag::kSeq)] = std::to_string(seq);
  return event;
}

// What AwaitChunks(6) says of a stream that was left after chunk 4, when these come one after the other.
bool AwaitsChunkFive(std::vector<Message> events) {
  bool came = false;
  Run([&](Loop& loop) -> Awaitable<void> {
    const auto broker = MakeEmbeddedBroker(loop.executor(), EmbeddedOptions());
    IncomingStream stream(loop.executor(), *broker, "stream", "s", {}, {"w", "q", 4});
    TaskGroup tasks(loop.executor());
    tasks.Spawn([](IncomingStream& waits, bool& result) -> Awaitable<void> {
      result = co_await waits.AwaitChunks(6);
    }(stream, came));
    for (const Message& event : events) {
      co_await Sleep(Now());
      stream.OnChunk(event);
    }
    co_await tasks.Join();
    co_await broker->Stop();
  });
  return came;
}

TEST_CASE(
    "a worker that hears of a resume, and a chunk that came before, tell nothing of those that are due") {
  CHECK(AwaitsChunkFive({Chunk(4, ""), Chunk(4, ""), Chunk(5, "x")}));
}

TEST_CASE("a chunk behind the one that is due shows that this one is lost") {
  CHECK_FALSE(AwaitsChunkFive({Chunk(6, "y"), Chunk(4, "")}));
}

}  // namespace
}  // namespace llm_router
