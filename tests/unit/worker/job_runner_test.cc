// The worker's dance with a job: what each verdict and outcome does to its message.
#include "router/worker/job_runner.h"

#include <functional>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/worker/job_rig.h"

namespace llm_router::test {
namespace {

using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::Outcome;
using Bodies = std::vector<std::string>;
constexpr auto kAck = Settlement::Verdict::kAck;
constexpr auto kNack = Settlement::Verdict::kNack;

// One case with a worker that runs.
void OnRig(std::function<Awaitable<void>(JobRig&)> body) {
  Run([body](Loop& loop) -> Awaitable<void> {
    JobRig rig(loop);
    co_await rig.Start();
    co_await body(rig);
    co_await rig.Stop();
  });
}

Awaitable<void> Settled(JobRig& rig, size_t count) {
  return rig.Until([&rig, count] { return rig.broker->settled.size() >= count; });
}

bool IsEmpty(const QueueInfo& info) { return *info.waiting + *info.leased + *info.delayed == 0; }

TEST_CASE("a job that may go is run once, kept, and only then acknowledged") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    size_t settled_at_finish = 1;
    rig.finish_answers.push_back([&] {
      settled_at_finish = rig.broker->settled.size();
      return Say(FinishVerdict::kKept)();
    });
    co_await rig.Put("j1", "Hi", {{"request-id", "r"}});
    co_await Settled(rig, 1);
    REQUIRE(rig.begins.size() == 1);
    CHECK(rig.begins[0].job == "j1");
    CHECK(rig.begins[0].worker == "w1");
    CHECK(rig.begins[0].route == "chat");
    CHECK_FALSE(rig.begins[0].message.has_value());
    CHECK(rig.provider->calls == Bodies{"Hi"});
    REQUIRE(rig.finishes.size() == 1);
    CHECK(rig.finishes[0].job == "j1");
    CHECK(rig.finishes[0].run == rig.begins[0].run);
    CHECK(rig.finishes[0].outcome == Outcome::kResult);
    CHECK(rig.finishes[0].reply.executed);
    CHECK(rig.finishes[0].reply.body == "Hi");
    CHECK(settled_at_finish == 0);
    CHECK(IsEmpty(co_await rig.Info()));
  });
}

TEST_CASE("a job that the journal does not let go is settled without a call") {
  struct Row {
    BeginVerdict verdict;
    Settlement::Verdict settled;
  };
  const auto row = GENERATE(values<Row>({{BeginVerdict::kAdopted, kAck},
                                         {BeginVerdict::kDone, kAck},
                                         {BeginVerdict::kBusy, kNack},
                                         {BeginVerdict::kCancelled, kAck},
                                         {BeginVerdict::kInterrupted, kAck},
                                         {BeginVerdict::kExhausted, kAck}}));
  OnRig([row](JobRig& rig) -> Awaitable<void> {
    contract::Begun begun(row.verdict);
    begun.wait = Milliseconds(40'000);
    rig.begin_answers.push_back(Say(begun));
    co_await rig.Put("j1", "Hi");
    co_await Settled(rig, 1);
    CHECK(rig.provider->calls.empty());
    CHECK(rig.finishes.empty());
    CHECK(rig.broker->settled[0].verdict == row.settled);
    const QueueInfo info = co_await rig.Info();
    CHECK(*info.delayed == (row.settled == kNack ? 1 : 0));
    CHECK(*info.leased == 0);
    if (row.settled == kNack) CHECK(rig.broker->settled[0].delay == Milliseconds(40'000));
  });
}

TEST_CASE("a message that names a job nobody knows is taken over like any other") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.begin_answers.push_back(Say(contract::Begun(BeginVerdict::kUnknown)));
    rig.begin_answers.push_back(Say(contract::Begun(BeginVerdict::kAdopted)));
    co_await rig.Put("forged", "Hi");
    co_await Settled(rig, 1);
    REQUIRE(rig.begins.size() == 2);
    CHECK(rig.begins[1].job.empty());
    REQUIRE(rig.begins[1].message.has_value());
    CHECK(rig.begins[1].message->body == "Hi");
    CHECK(rig.begins[1].message->tags.count("job") == 0);
    CHECK(rig.broker->settled[0].verdict == kAck);
  });
}

TEST_CASE("each begin has a run of its own") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    co_await rig.Put("j1", "a");
    co_await rig.Put("j1", "a");
    co_await Settled(rig, 2);
    REQUIRE(rig.begins.size() == 2);
    CHECK(rig.begins[0].run != rig.begins[1].run);
  });
}

TEST_CASE("a run that failed is told with its fault, and acknowledged once that is kept") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    co_await rig.Put("j1", "fail");
    co_await Settled(rig, 1);
    REQUIRE(rig.finishes.size() == 1);
    CHECK(rig.finishes[0].outcome == Outcome::kFailed);
    CHECK(FaultOf(rig.finishes[0].failure) == Fault::kProviderFailed);
    CHECK_FALSE(rig.finishes[0].reply.executed);
    CHECK(rig.finishes[0].reply.error == "the provider broke");
    CHECK(FaultOf(contract::ParseError("", rig.finishes[0].reply.body)) == Fault::kProviderFailed);
    CHECK(rig.broker->settled[0].verdict == kAck);
  });
}

TEST_CASE("an outcome that is stale is dropped, and its message acknowledged") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.finish_answers.push_back(Say(FinishVerdict::kStale));
    rig.finish_answers.push_back(Say(FinishVerdict::kStale));
    co_await rig.Put("j1", "Hi");
    co_await rig.Put("j2", "busy");
    co_await Settled(rig, 2);
    CHECK(rig.broker->Count(kAck) == 2);
    CHECK(IsEmpty(co_await rig.Info()));
  });
}

TEST_CASE("a busy provider is left alone until the time it named, while queries go on") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.provider->busy_for = Milliseconds(60'000);
    for (int i = 0; i < 8; ++i) co_await rig.Put("j" + std::to_string(i), "busy");
    co_await rig.Until([&] { return rig.broker->Count(kNack) == rig.begins.size() && !rig.begins.empty(); });
    CHECK(rig.begins.size() <= 3);
    for (const Settlement& settled : rig.broker->settled) {
      if (settled.verdict == kNack) CHECK(settled.delay >= Milliseconds(59'000));
    }
    for (const contract::Finish& finish : rig.finishes) {
      CHECK(finish.outcome == Outcome::kAgain);
      CHECK(FaultOf(finish.failure) == Fault::kProviderBusy);
      CHECK(RetryAfterOf(finish.failure) == Milliseconds(60'000));
    }
    const auto query = co_await rig.Ask("query");
    CHECK(query->message.body == "query");
    const QueueInfo info = co_await rig.Info();
    CHECK(*info.leased == 0);
    CHECK(*info.delayed == rig.begins.size());
    CHECK(*info.waiting == 8 - rig.begins.size());
    CHECK(rig.provider->calls.size() == rig.begins.size() + 1);
  });
}

TEST_CASE("when a busy provider recovers, one job goes first and all others after it") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.provider->busy_for = Milliseconds(1);
    for (int i = 0; i < 6; ++i) co_await rig.Put("j" + std::to_string(i), "busy");
    co_await rig.Until([&] { return rig.broker->Count(kNack) >= 4; });
    rig.provider->busy = false;
    co_await rig.Until([&] { return rig.broker->Count(kAck) == 6; });
    CHECK(IsEmpty(co_await rig.Info()));
    CHECK(rig.broker->Count(kNack) + 6 == rig.begins.size());
  });
}

TEST_CASE("jobs fill all slots but the reserve, no more are leased, and a query gets in") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    for (int i = 0; i < 6; ++i) co_await rig.Put("j" + std::to_string(i), "hold");
    co_await rig.Until([&] { return rig.provider->running == 3; });
    const QueueInfo info = co_await rig.Info();
    CHECK(*info.leased == 3);
    CHECK(*info.waiting == 3);
    CHECK((co_await rig.Ask("query"))->message.body == "query");
    rig.provider->released_all = true;
    rig.provider->released.Notify();
    co_await Settled(rig, 6);
    CHECK(rig.broker->most_asked <= 3);
    CHECK(rig.broker->most_receiving == 1);
    CHECK(IsEmpty(co_await rig.Info()));
  });
}

TEST_CASE("a cancel ends the run of a job it names, and the journal hears of it") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.finish_answers.push_back(Say(FinishVerdict::kStale));
    co_await rig.Put("j1", "hold");
    co_await rig.Until([&] { return rig.provider->running == 1; });
    rig.Cancel("j1");
    co_await Settled(rig, 1);
    CHECK(rig.provider->running == 0);
    REQUIRE(rig.finishes.size() == 1);
    CHECK(FaultOf(rig.finishes[0].failure) == Fault::kCancelled);
    CHECK(rig.broker->settled[0].verdict == kAck);
  });
}

TEST_CASE("a cancel that overtakes the journal's go is heeded: the provider is not called") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.begin_answers.push_back([&rig] {
      rig.Cancel("j1");
      return Say(BeginVerdict::kGo)();
    });
    co_await rig.Put("j1", "Hi");
    co_await Settled(rig, 1);
    REQUIRE(rig.finishes.size() == 1);
    CHECK(rig.finishes[0].outcome == Outcome::kFailed);
    CHECK(FaultOf(rig.finishes[0].failure) == Fault::kCancelled);
    CHECK(rig.provider->calls.empty());
  });
}

TEST_CASE("what a stranger put into the queue goes to the journal whole, and comes again as a job") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.begin_answers.push_back(Say(BeginVerdict::kAdopted));
    co_await rig.Put("", "Hi", {{"model", "m"}});
    co_await Settled(rig, 1);
    REQUIRE(rig.begins.size() == 1);
    CHECK(rig.begins[0].job.empty());
    REQUIRE(rig.begins[0].message.has_value());
    CHECK(rig.begins[0].message->id == "strange");
    CHECK(rig.begins[0].message->body == "Hi");
    CHECK(rig.begins[0].message->sent_at > 0);
    CHECK(rig.begins[0].message->tags == Tags{{"model", "m"}, {"tenant", "default"}});
    CHECK(rig.broker->settled[0].verdict == kAck);
    CHECK(rig.provider->calls.empty());
  });
}

TEST_CASE("what is no job goes to the dead queue with the reason, its own tags beside it") {
  const std::string body = GENERATE(as<std::string>(), "Hi", "not \xff UTF-8");
  OnRig([body](JobRig& rig) -> Awaitable<void> {
    rig.begin_answers.push_back(Refuse(Fault::kInvalidRequest, "tag dialect is \"klingon\""));
    co_await rig.Put("", body, {{"dialect", "klingon"}});
    co_await Settled(rig, 1);
    CHECK(rig.begins.size() == (body == "Hi" ? 1 : 0));
    CHECK(IsEmpty(co_await rig.Info()));
    const auto dead = co_await rig.broker->Receive("chat_dead", ReceiveOptions());
    REQUIRE(dead->size() == 1);
    const Message& message = dead->front().message;
    CHECK(message.id == "strange");
    CHECK(message.body == body);
    CHECK(TagOr(message.tags, "dialect") == "klingon");
    CHECK_THAT(std::string(TagOr(message.tags, "reason")),
               Catch::Contains(body == "Hi" ? "klingon" : "not UTF-8, first at byte 4"));
  });
}

TEST_CASE("a result that the journal can't take is a failure with that reason") {
  OnRig([](JobRig& rig) -> Awaitable<void> {
    rig.finish_answers.push_back(Refuse(Fault::kTooLarge, "the body is too large"));
    co_await rig.Put("j1", "Hi");
    co_await Settled(rig, 1);
    REQUIRE(rig.finishes.size() == 2);
    CHECK(rig.finishes[1].run == rig.finishes[0].run);
    CHECK(rig.finishes[1].outcome == Outcome::kFailed);
    CHECK(FaultOf(rig.finishes[1].failure) == Fault::kTooLarge);
    CHECK(rig.broker->settled[0].verdict == kAck);
  });
}

}  // namespace
}  // namespace llm_router::test
