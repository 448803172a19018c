// What happens at once: receives that end as they are told of a message, purges and expiries under way while
// leases end, settlements in flight at the end.
#include <boost/asio/post.hpp>
#include <chrono>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "proto/fault.h"
#include "tests/unit/embedded/queues_kit.h"

namespace llm_router {
namespace {

using test::Bodies;
using test::Messages;
using test::Open;
using test::Receive;
using test::Run;
using test::Send;
using test::Settle;
using test::TemporaryFolder;
using test::Texts;
constexpr auto kRelease = Settlement::Verdict::kRelease;

struct Got {
  bool ended = false;
  absl::Status status = absl::UnknownError("not yet");
  Texts bodies;
};

Awaitable<void> ReceiveInto(DurableQueues& queues, std::shared_ptr<Got> got) {
  ReceiveOptions options;
  options.wait = std::chrono::seconds(20);
  const auto received = co_await queues.Receive("q", options);
  got->ended = true;
  got->status = received.status();
  if (received.ok()) got->bodies = Bodies(*received);
}

TEST_CASE("a receive cancelled as it is told of a message leaves it to the next one that waits") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", {"a"})).ok());
    const auto leased = co_await Receive(*queues, "q");
    TaskGroup first(loop.executor());
    TaskGroup second(loop.executor());
    const auto gone = std::make_shared<Got>();
    const auto here = std::make_shared<Got>();
    first.Spawn(ReceiveInto(*queues, gone));
    // Both wait once what they ask the disk has been answered.
    (void)co_await queues->Info("q");
    CHECK((co_await Send(*queues, "elsewhere", {"x"})).ok());
    second.Spawn(ReceiveInto(*queues, here));
    CHECK((co_await Send(*queues, "elsewhere", {"x"})).ok());
    const TimePoint before = Now();
    CHECK((co_await Settle(*queues, leased, kRelease)).ok());  // tells the first
    first.Cancel();
    co_await first.Join();
    co_await second.Join();
    CHECK(FaultOf(gone->status) == Fault::kCancelled);
    CHECK(here->bodies == Texts{"a"});
    CHECK(Now() - before < std::chrono::seconds(20));
    const auto info = co_await queues->Info("q");
    REQUIRE(info.ok());
    CHECK(info->leased == 1);
    co_await queues->Stop();
  });
}

TEST_CASE("a receive that waits for room among the leases goes on when there is some") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    QueueOptions options;
    options.folder = folder.path();
    options.max_leased_bytes = 1'000;
    auto queues = *DurableQueues::Open(loop.executor(), options);
    CHECK((co_await Send(*queues, "other", {std::string(2'000, 'x')})).ok());
    const auto leased = co_await Receive(*queues, "other");
    CHECK((co_await Send(*queues, "q", {"a"})).ok());
    TaskGroup tasks(loop.executor());
    const auto got = std::make_shared<Got>();
    tasks.Spawn(ReceiveInto(*queues, got));
    CHECK((co_await Send(*queues, "elsewhere", {"x"})).ok());
    CHECK_FALSE(got->ended);
    CHECK((co_await Settle(*queues, leased)).ok());
    co_await tasks.Join();
    CHECK(got->bodies == Texts{"a"});
    co_await queues->Stop();
  });
}

Awaitable<void> PurgeInto(DurableQueues& queues, std::shared_ptr<uint64_t> removed) {
  const auto purged = co_await queues.Purge("q");
  if (purged.ok()) *removed = *purged;
}

Awaitable<void> SettleAll(DurableQueues& queues, std::vector<Delivery> deliveries,
                          Settlement::Verdict verdict) {
  CHECK((co_await Settle(queues, deliveries, verdict)).ok());
}

Awaitable<QueueTotals> TotalsOf(DurableQueues& queues, std::string name) {
  const auto all = co_await queues.Queues();
  if (!all.ok()) FAIL(all.status().ToString());
  for (const QueueTotals& totals : *all) {
    if (totals.name == name) co_return totals;
  }
  co_return QueueTotals();
}

TEST_CASE("acknowledgements and nacks in flight around a purge leave its counts right") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", Texts(10'000, "x"))).ok());
    const auto before = co_await Receive(*queues, "q", 10);
    const auto after = co_await Receive(*queues, "q", 10);
    const auto nacked = co_await Receive(*queues, "q", 10);
    const auto released = co_await Receive(*queues, "q", 10);
    TaskGroup tasks(loop.executor());
    const auto removed = std::make_shared<uint64_t>(0);
    tasks.Spawn(SettleAll(*queues, before, Settlement::Verdict::kAck));
    tasks.Spawn(PurgeInto(*queues, removed));
    tasks.Spawn(SettleAll(*queues, after, Settlement::Verdict::kAck));
    tasks.Spawn(SettleAll(*queues, released, kRelease));
    co_await tasks.Join();
    CHECK((co_await Settle(*queues, nacked, Settlement::Verdict::kNack)).ok());
    CHECK(*removed == 9'960);
    CHECK((co_await TotalsOf(*queues, "q")).waiting == 20);
    while ((co_await TotalsOf(*queues, "q")).waiting > 0) {
      const auto rest = co_await Receive(*queues, "q");
      REQUIRE_FALSE(rest.empty());
      CHECK((co_await Settle(*queues, rest)).ok());
    }
    CHECK((co_await TotalsOf(*queues, "q")).bytes == 0);
    co_await queues->Stop();
  });
}

TEST_CASE("a purge whose caller goes away is finished, and the queue goes on") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", Texts(20'000, "x"))).ok());
    TaskGroup tasks(loop.executor());
    tasks.Spawn(PurgeInto(*queues, std::make_shared<uint64_t>(0)));
    CHECK((co_await Send(*queues, "elsewhere", {"x"})).ok());
    tasks.Cancel();
    co_await tasks.Join();
    CHECK(*co_await queues->Purge("q") == 0);
    CHECK((co_await TotalsOf(*queues, "q")).bytes == 0);
    CHECK((co_await Send(*queues, "q", {"next"})).ok());
    CHECK(Bodies(co_await Receive(*queues, "q")) == Texts{"next"});
    co_await queues->Stop();
  });
}

TEST_CASE("expired messages are counted off once, whether leased, acknowledged or found by a receive") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    auto messages = Messages(Texts(30, "brief"));
    for (Outgoing& message : messages) message.expiry = std::chrono::milliseconds(300);
    CHECK((co_await queues->Send("q", std::move(messages))).ok());
    const auto leased = co_await Receive(*queues, "q", 10);
    CHECK(co_await Sleep(Now() + std::chrono::milliseconds(400)));
    CHECK((co_await Receive(*queues, "q")).empty());
    CHECK((co_await Settle(*queues, leased, kRelease)).ok());
    CHECK((co_await Receive(*queues, "q")).empty());
    CHECK((co_await Send(*queues, "q", {"lasting"})).ok());
    CHECK((co_await TotalsOf(*queues, "q")).waiting == 1);
    CHECK((co_await Settle(*queues, co_await Receive(*queues, "q"))).ok());
    CHECK((co_await TotalsOf(*queues, "q")).bytes == 0);
    co_await queues->Stop();
  });
}

TEST_CASE("a nack in flight when the queues stop is on disk before they have stopped") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", {"a"})).ok());
    TaskGroup tasks(loop.executor());
    const auto leased = co_await Receive(*queues, "q");
    tasks.Spawn(SettleAll(*queues, leased, Settlement::Verdict::kNack));
    co_await boost::asio::post(kUseAwaitable);  // it begins
    co_await boost::asio::post(kUseAwaitable);
    co_await queues->Stop();
    co_await tasks.Join();
    queues.reset();
    queues = Open(loop, folder.path());
    const auto got = co_await Receive(*queues, "q");
    REQUIRE(Bodies(got) == Texts{"a"});
    CHECK(got[0].deliveries == 2);
    co_await queues->Stop();
  });
}

TEST_CASE("asking for queues that nobody ever sent to takes no memory") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    for (int i = 0; i < 100'001; ++i) {
      const auto got = co_await queues->Receive("q" + std::to_string(i), ReceiveOptions());
      REQUIRE(got.ok());
    }
    CHECK((co_await Send(*queues, "q", {"still room"})).ok());
    co_await queues->Stop();
  });
}

TEST_CASE("a peek shows as many as it was asked for, also past what is in memory") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", Texts(5'000, "x"))).ok());
    for (int i = 0; i < 4; ++i) (void)co_await Receive(*queues, "q", 1'023);
    const auto seen = co_await queues->Peek("q", 100);
    REQUIRE(seen.ok());
    CHECK(seen->size() == 100);
    co_await queues->Stop();
  });
}

}  // namespace
}  // namespace llm_router
