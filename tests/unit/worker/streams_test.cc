#include <random>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/worker/streams_rig.h"

namespace llm_router {
namespace {

using test::Run;

constexpr Milliseconds kAtOnce(0);
constexpr Milliseconds kLong(60'000);

void WithRig(const std::function<Awaitable<void>(StreamsRig&)>& body) {
  Run([&](Loop& loop) -> Awaitable<void> {
    StreamsRig rig(loop.executor());
    co_await rig.Open();
    co_await body(rig);
    co_await rig.Close();
  });
}

TEST_CASE("a stream's chunks come in order, and its reply says how many there were") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    const auto stream = co_await rig.Ask("100 20", kAtOnce);
    const std::string text = co_await StreamsRig::ReadAll(*stream);
    CHECK(text == Pieces::All(100, 20));
    const auto reply = co_await stream->AwaitReply();
    REQUIRE(reply.ok());
    CHECK(TagOr(reply->message.tags, "chunks") == "100");
    CHECK(reply->message.body == text);
    CHECK(stream->is_whole());
    CHECK(stream->position().worker == "w1");
    CHECK(stream->position().seq == 99);
  });
}

TEST_CASE("who ignores the chunks loses nothing: the reply is whole") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    Message message("chat_requests", "1000 50");
    message.tags["stream-to"] = "stream.acme.nobody-listens";
    const auto reply = co_await rig.broker().Request(Query(Kind::kQuery, std::move(message), Now() + kLong));
    REQUIRE(reply.ok());
    CHECK(reply->message.body == Pieces::All(1000, 50));
  });
}

TEST_CASE("a reader that stops makes the writer wait, a window ahead at most") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    const auto stream = co_await rig.Ask("2000 10", kAtOnce);
    std::string text = *co_await stream->Next();
    // It waits when it has been round the loop often without writing.
    int64_t before = -1;
    while (before != rig.pieces().written) {
      before = rig.pieces().written;
      for (int i = 0; i < 20; ++i) (void)co_await Sleep(Now() + Milliseconds(1));
    }
    CHECK(rig.pieces().written <= stream->position().seq + 1 + contract::kStreamWindow + 1);
    CHECK(rig.pieces().running == 1);
    text += co_await StreamsRig::ReadAll(*stream);
    CHECK(text == Pieces::All(2000, 10));
  });
}

TEST_CASE("a window is counted in bytes too") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    const auto stream = co_await rig.Ask("100 100000", kAtOnce);
    std::string text = *co_await stream->Next();
    int64_t before = -1;
    while (before != rig.pieces().written) {
      before = rig.pieces().written;
      for (int i = 0; i < 20; ++i) (void)co_await Sleep(Now() + Milliseconds(1));
    }
    CHECK(rig.pieces().written < 40);
    text += co_await StreamsRig::ReadAll(*stream);
    CHECK(text == Pieces::All(100, 100'000));
  });
}

TEST_CASE("lost chunks are asked for again") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    rig.broker().LoseEvery(7);
    const auto stream = co_await rig.Ask("300 20", kAtOnce);
    const std::string text = co_await StreamsRig::ReadAll(*stream);
    CHECK(text == Pieces::All(300, 20));
    CHECK(stream->is_whole());
  });
}

TEST_CASE("a caller that goes away cancels its query at once, when it did not ask for linger") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    auto stream = co_await rig.Ask("10 20 hold", kAtOnce);
    REQUIRE(co_await stream->Next());
    stream.reset();
    CHECK(co_await StreamsRig::Until([&] { return rig.pieces().cancelled == 1; }));
    CHECK(rig.pieces().running == 0);
  });
}

TEST_CASE("a stream that lingers is resumed by another caller, who gets exactly the rest") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    auto stream = co_await rig.Ask("10 20 hold", kLong, 0);
    std::string text;
    while (text.size() < 5 * 20) text += *co_await stream->Next();
    const StreamPosition left_at = stream->position();
    stream.reset();
    const auto resumed = co_await rig.Resume(left_at, 1);
    (void)co_await Sleep(Now() + Milliseconds(1));
    CHECK(rig.pieces().running == 1);
    rig.pieces().Release();
    text += co_await StreamsRig::ReadAll(*resumed);
    CHECK(text == Pieces::All(10, 20));
    const auto reply = co_await resumed->AwaitReply();
    REQUIRE(reply.ok());
    CHECK(reply->message.body == text);
  });
}

TEST_CASE("when nobody resumes it, the linger ends it") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    auto stream = co_await rig.Ask("10 20 hold", Milliseconds(50));
    REQUIRE(co_await stream->Next());
    stream.reset();
    CHECK(co_await StreamsRig::Until([&] { return rig.pieces().cancelled == 1; }));
  });
}

TEST_CASE("a cancel ends a stream that would linger") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    auto stream = co_await rig.Ask("10 20 hold", kLong);
    REQUIRE(co_await stream->Next());
    stream->Cancel();
    CHECK(co_await StreamsRig::Until([&] { return rig.pieces().cancelled == 1; }));
    CHECK(FaultOf((co_await stream->AwaitReply()).status()) == Fault::kCancelled);
  });
}

TEST_CASE("a stream that is over can be read again from any chunk, by a second reader beside the first too") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    const auto stream = co_await rig.Ask("200 20 hold", kLong);
    REQUIRE(co_await stream->Next());
    const auto beside = co_await rig.Resume(StreamPosition{"w1", stream->position().query, -1}, 1);
    rig.pieces().Release();
    CHECK(co_await StreamsRig::ReadAll(*beside) == Pieces::All(200, 20));
    (void)co_await StreamsRig::ReadAll(*stream);
    const auto again = co_await rig.Resume(StreamPosition{"w1", stream->position().query, 99}, 1);
    CHECK(co_await StreamsRig::ReadAll(*again) == Pieces::All(200, 20).substr(100 * 20));
  });
}

TEST_CASE("another tenant's stream can't be resumed, and one that is gone says what to do") {
  WithRig([](StreamsRig& rig) -> Awaitable<void> {
    const auto stream = co_await rig.Ask("10 20", kLong);
    (void)co_await StreamsRig::ReadAll(*stream);
    const auto stolen = co_await rig.Resume(stream->position(), 1, "other");
    CHECK_FALSE(co_await stolen->Next());
    const auto reply = co_await stolen->AwaitReply();
    CHECK(FaultOf(reply.status()) == Fault::kInvalidRequest);
    CHECK(MessageOf(reply.status()).find("ask the query again") != std::string_view::npos);
  });
}

TEST_CASE(
    "resuming after a cut gives the identical text, 1,000 random cuts, half of them by another caller") {
  std::mt19937 random(20261128);
  WithRig([&](StreamsRig& rig) -> Awaitable<void> {
    for (int cut = 0; cut < 1'000; ++cut) {
      const auto count = static_cast<int64_t>(1 + random() % 60);
      const std::string body = std::to_string(count) + " 16";
      auto stream = co_await rig.Ask(body, kLong);
      std::string text;
      const size_t stop = random() % (static_cast<size_t>(count) * 16);
      while (text.size() <= stop) {
        const auto piece = co_await stream->Next();
        if (!piece) break;
        text += *piece;
      }
      const StreamPosition left_at = stream->position();
      stream.reset();
      const auto resumed = co_await rig.Resume(left_at, cut % 2);
      text += co_await StreamsRig::ReadAll(*resumed);
      REQUIRE(text == Pieces::All(count, 16));
    }
    CHECK(rig.pieces().cancelled == 0);
  });
}

TEST_CASE("streams aborted at random points leave nothing behind") {
  std::mt19937 random(7);
  WithRig([&](StreamsRig& rig) -> Awaitable<void> {
    for (int i = 0; i < 2'000; ++i) {
      auto stream = co_await rig.Ask("40 16", kAtOnce);
      for (auto pieces = random() % 12; pieces > 0; --pieces) {
        if (!co_await stream->Next()) break;
      }
    }
    CHECK(co_await StreamsRig::Until([&] { return rig.pieces().running == 0; }));
  });
}

}  // namespace
}  // namespace llm_router
