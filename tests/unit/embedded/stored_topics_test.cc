// What the embedded broker's stored events keep through restarts, power cuts, damage and a full disk.
#include "broker_adapters/embedded/stored_topics.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/fault.h"
#include "tests/contract/signal.h"
#include "tests/support/catch.h"
#include "tests/support/cut_vfs.h"
#include "tests/support/run.h"
#include "tests/support/temporary_folder.h"

namespace llm_router {
namespace {

using test::CutVfs;
using test::Run;
using test::Signal;
using test::TemporaryFolder;
using From = StoredStart::From;
using Texts = std::vector<std::string>;

StoredOptions In(const TemporaryFolder& folder, const std::string& vfs = "") {
  StoredOptions options;
  options.folder = folder.path();
  options.vfs = vfs;
  return options;
}

// Null where the disk can't be used.
std::unique_ptr<StoredTopics> TryOpen(Loop& loop, const StoredOptions& options) {
  auto disk = StoredTopics::OpenDisk(options);
  return disk.ok() ? std::make_unique<StoredTopics>(loop.executor(), options, *std::move(disk)) : nullptr;
}

std::unique_ptr<StoredTopics> Open(Loop& loop, const StoredOptions& options) {
  auto topics = TryOpen(loop, options);
  if (!topics) FAIL("the stored events can't be opened");
  return topics;
}

Awaitable<absl::Status> Publish(StoredTopics& topics, std::string channel, std::string body) {
  co_return (co_await topics.Publish(Message(std::move(channel), std::move(body)))).status();
}

// Shared with its handler.
struct Reader {
  explicit Reader(Loop& loop) : changed(loop.executor()) {}

  Texts bodies() const {
    Texts bodies;
    for (const StoredEvent& event : got) bodies.push_back(event.message.body);
    return bodies;
  }

  bool acknowledges = true;
  std::vector<StoredEvent> got;
  StoredSubscriptionPtr subscription;
  Signal changed;
};
using ReaderPtr = std::shared_ptr<Reader>;

Awaitable<ReaderPtr> Read(Loop& loop, StoredTopics& topics, std::string channel, From from = From::kFirst,
                          bool acknowledges = true) {
  const auto reader = std::make_shared<Reader>(loop);
  reader->acknowledges = acknowledges;
  StoredSubscribe options;
  options.channel = std::move(channel);
  options.client_id = "client";
  options.start.from = from;
  auto subscription =
      co_await topics.Subscribe(std::move(options), [weak = std::weak_ptr(reader)](const StoredEvent& event) {
        const auto living = weak.lock();
        if (!living) return;
        living->got.push_back(event);
        if (living->acknowledges) living->subscription->Acknowledge(event.sequence);
        living->changed.Notify();
      });
  if (!subscription.ok()) co_return nullptr;
  reader->subscription = *std::move(subscription);
  co_return reader;
}

Awaitable<void> Expect(ReaderPtr reader, Texts bodies) {
  REQUIRE(reader);
  (void)co_await reader->changed.Until([&] { return reader->got.size() >= bodies.size(); });
  CHECK(reader->bodies() == bodies);
}

Awaitable<void> Restart(Loop& loop, std::unique_ptr<StoredTopics>& topics, StoredOptions options) {
  co_await topics->Stop();
  topics.reset();
  topics = Open(loop, options);
}

TEST_CASE("a restart keeps events, their numbers and times, and the places of who read them") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto topics = Open(loop, In(folder));
    for (const char* body : {"1", "2", "3"}) CHECK((co_await Publish(*topics, "c", body)).ok());
    auto reader = co_await Read(loop, *topics, "c", From::kFirst, false);
    co_await Expect(reader, {"1", "2", "3"});
    const int64_t stored_at = reader->got[2].stored_at;
    reader->subscription->Acknowledge(1);
    reader->subscription->Acknowledge(2);
    reader->subscription.reset();
    co_await Restart(loop, topics, In(folder));
    CHECK((co_await Publish(*topics, "c", "4")).ok());
    reader = co_await Read(loop, *topics, "c", From::kNew);
    co_await Expect(reader, {"3", "4"});
    CHECK(reader->got[0].sequence == 3);
    CHECK(reader->got[0].stored_at == stored_at);
    // Also what was acknowledged a moment before the end, by who still was there.
    co_await Restart(loop, topics, In(folder));
    CHECK((co_await Publish(*topics, "c", "5")).ok());
    reader = co_await Read(loop, *topics, "c", From::kFirst);
    co_await Expect(reader, {"5"});
    const auto totals = topics->Channels();
    REQUIRE(totals.size() == 1);
    CHECK(totals[0].events == 5);
    CHECK(totals[0].first_sequence == 1);
    CHECK(totals[0].last_sequence == 5);
    co_await topics->Stop();
  });
}

TEST_CASE("beyond the bytes that may be kept the oldest events go") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    StoredOptions options = In(folder);
    options.max_bytes = 20'000;
    const auto topics = Open(loop, options);
    for (int i = 0; i < 60; ++i) CHECK((co_await Publish(*topics, "c", std::string(1'000, 'x'))).ok());
    CHECK((co_await Publish(*topics, "turn", "")).ok());
    const TimePoint until = Now() + std::chrono::seconds(30);
    while (topics->Channels()[0].bytes > options.max_bytes && Now() < until)
      CHECK((co_await topics->Purge("turn")).ok());
    CHECK(topics->Channels()[0].bytes <= options.max_bytes);
    CHECK(topics->Channels()[0].events > 10);
    const auto reader = co_await Read(loop, *topics, "c");
    CHECK(co_await reader->changed.Until(
        [&] { return !reader->got.empty() && reader->got.back().sequence == 60; }));
    CHECK(reader->got[0].sequence == topics->Channels()[0].first_sequence);
    co_await topics->Stop();
  });
}

// Lets the loop turn until then.
Awaitable<bool> Becomes(Loop& loop, std::function<bool()> condition) {
  const TimePoint until = Now() + test::kPatience;
  while (!condition() && Now() < until) (void)co_await boost::asio::post(loop.executor(), kUseTuple);
  co_return condition();
}

TEST_CASE("the broker removes stored events as they come of age, and at last their channel") {
  Run([](Loop& loop) -> Awaitable<void> {
    constexpr int64_t kHour = int64_t{3'600} * 1'000'000'000;  // ns
    const TemporaryFolder folder;
    const auto clock = std::make_shared<std::atomic<int64_t>>(UnixNanos());
    QueueOptions queues;
    queues.folder = folder.path();
    StoredOptions options;
    options.max_age = std::chrono::hours(24);
    options.sweep = Milliseconds(1);
    options.unix_nanos = [clock] { return clock->load(); };
    const auto broker = OpenEmbeddedBroker(loop.executor(), {}, queues, options);
    REQUIRE(broker.ok());
    StoredEvents& events = *(*broker)->stored_events();
    CHECK((co_await events.Publish(Message("c", "first"))).ok());
    CHECK((co_await events.Publish(Message("c", "second"))).ok());
    *clock += 23 * kHour;
    CHECK((co_await events.Publish(Message("c", "third"))).ok());
    CHECK((co_await events.Publish(Message("d", "fourth"))).ok());
    CHECK(events.Channels()[0].events == 3);
    *clock += 2 * kHour;
    CHECK(co_await Becomes(loop, [&] { return events.Channels()[0].events == 1; }));
    CHECK(events.Channels()[0].first_sequence == 3);
    CHECK(events.Channels()[1].events == 1);
    *clock += 23 * kHour;
    CHECK(co_await Becomes(loop, [&] { return events.Channels()[0].events == 0; }));
    *clock += 25 * kHour;
    CHECK(co_await Becomes(loop, [&] { return events.Channels().empty(); }));
    co_await (*broker)->Stop();
  });
}

TEST_CASE("events older than the limit go, the others stay") {
  const TemporaryFolder folder;
  auto database = OpenSqlite(folder.path() / "events.sqlite");
  REQUIRE(database.ok());
  auto file = StoredFile::Open(**database);
  REQUIRE(file.ok());
  for (const int64_t now : {1'000, 2'000, 3'000}) (*file)->Add("c", "record", now);
  auto erased = (*file)->EraseOldest(2'500, 0, 1);
  CHECK(erased["c"].events == 1);
  erased = (*file)->EraseOldest(2'500, 0, 100);
  CHECK(erased["c"].events == 1);
  CHECK(erased["c"].last_sequence == 2);
  CHECK((*file)->EraseOldest(2'500, 0, 100).empty());
  const auto page = (*file)->Read("c", 0, 100, 1'000'000);
  REQUIRE(page.events.size() == 1);
  CHECK(page.events[0].sequence == 3);
  CHECK(page.read_to == 3);
}

TEST_CASE("a start time finds the first event stored then or later, over what is gone") {
  const TemporaryFolder folder;
  auto database = OpenSqlite(folder.path() / "events.sqlite");
  REQUIRE(database.ok());
  auto file = StoredFile::Open(**database);
  REQUIRE(file.ok());
  for (int64_t now = 100; now <= 1'000; now += 100) (*file)->Add("c", "record", now);
  (void)(*file)->EraseOldest(300, 0, 100);
  int owner = 0;
  const auto position = [&](int64_t time) {
    StoredStart start;
    start.from = From::kTime;
    start.time = time;
    return (*file)->FindOrMake("c", StoredOwner(std::to_string(++owner), ""), start).position;
  };
  CHECK(position(0) == 2);
  CHECK(position(300) == 2);
  CHECK(position(301) == 3);
  CHECK(position(700) == 6);
  CHECK(position(1'000) == 9);
  CHECK(position(1'001) == 10);
}

TEST_CASE("damaged events are set aside, never served; a damaged place begins again; the others come") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto topics = Open(loop, In(folder));
    for (const char* body : {"first", "second", "third"}) CHECK((co_await Publish(*topics, "c", body)).ok());
    CHECK((co_await Publish(*topics, "other", "not c's")).ok());
    co_await Expect(co_await Read(loop, *topics, "c"), {"first", "second", "third"});
    co_await topics->Stop();
    topics.reset();
    {
      SQLite::Database database((folder.path() / "events.sqlite").string(), SQLite::OPEN_READWRITE);
      database.exec("UPDATE events SET record = CAST(replace(record, 'second', 'sec0nd') AS BLOB)");
      database.exec("UPDATE events SET channel = 1, sequence = 4 WHERE channel = 2");
      database.exec("UPDATE places SET position = 99");
      database.exec("UPDATE channels SET last_sequence = 77 WHERE id = 1");
    }
    topics = Open(loop, In(folder));
    const auto reader = co_await Read(loop, *topics, "c", From::kNew);
    co_await Expect(reader, {"first", "third"});
    CHECK((co_await Publish(*topics, "c", "fourth")).ok());
    co_await Expect(reader, {"first", "third", "fourth"});
    CHECK(reader->got.back().sequence == 4);
    co_await topics->Stop();
    topics.reset();
    SQLite::Database database((folder.path() / "events.sqlite").string());
    CHECK(database.execAndGet("SELECT COUNT(*) FROM damaged").getInt() == 2);
  });
}

TEST_CASE("a full disk fails the publish, leaves no gap, and the next one goes through when there is room") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    CutVfs vfs(CutVfs::Syncs::kKept, 0, 1);
    const auto topics = Open(loop, In(folder, vfs.name()));
    CHECK((co_await Publish(*topics, "c", "before")).ok());
    vfs.Fill();
    CHECK(FaultOf(co_await Publish(*topics, "c", "while full")) == Fault::kStorageFailed);
    CHECK(FaultOf(co_await Publish(*topics, "new", "while full")) == Fault::kStorageFailed);
    vfs.Free();
    CHECK((co_await Publish(*topics, "c", "after")).ok());
    CHECK((co_await Publish(*topics, "new", "after")).ok());
    const auto reader = co_await Read(loop, *topics, "c");
    co_await Expect(reader, {"before", "after"});
    CHECK(reader->got[1].sequence == 2);
    co_await topics->Stop();
  });
}

TEST_CASE("a folder of stored events that is another process's is refused with the remedy") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    const auto topics = Open(loop, In(folder));
    const auto second = StoredTopics::OpenDisk(In(folder));
    CHECK(FaultOf(second.status()) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(second.status())), Catch::Contains("a folder of its own"));
    co_await topics->Stop();
  });
}

struct Told {
  std::set<std::string> kept;  // published, and so told
  uint64_t acknowledged = 0;   // by the reader, up to here
  int syncs = 0;
};

// Publishes and reads until the power goes, and notes what it was told.
Awaitable<Told> RunUntilCut(Loop& loop, const TemporaryFolder& folder, CutVfs& vfs) {
  Told told;
  const auto topics = TryOpen(loop, In(folder, vfs.name()));
  if (!topics) co_return told;
  const ReaderPtr reader = co_await Read(loop, *topics, "c");
  for (int i = 0; i < 40 && !vfs.is_cut(); ++i) {
    const std::string body = std::to_string(i);
    if ((co_await Publish(*topics, "c", body)).ok()) told.kept.insert(body);
  }
  co_await topics->Stop();
  if (reader && !reader->got.empty()) told.acknowledged = reader->got.back().sequence;
  told.syncs = vfs.syncs();
  co_return told;
}

// How many events that were told to be kept are gone, numbers that are missing or twice there, and events
// that were skipped though they were not acknowledged.
Awaitable<int> Broken(Loop& loop, const TemporaryFolder& folder, const Told& told) {
  const auto topics = TryOpen(loop, In(folder));
  if (!topics) co_return 1'000'000;
  CHECK((co_await Publish(*topics, "c", "end")).ok());
  const ReaderPtr same = co_await Read(loop, *topics, "c", From::kFirst);
  const auto at_end = [](const ReaderPtr& reader) {
    return [reader] { return !reader->got.empty() && reader->got.back().message.body == "end"; };
  };
  CHECK(co_await same->changed.Until(at_end(same)));
  same->subscription.reset();
  const auto all = std::make_shared<Reader>(loop);
  StoredSubscribe options;
  options.channel = "c";
  options.client_id = "another client";
  options.start.from = From::kFirst;
  auto subscription = co_await topics->Subscribe(std::move(options), [all](const StoredEvent& event) {
    all->got.push_back(event);
    all->changed.Notify();
  });
  CHECK(co_await all->changed.Until(at_end(all)));
  int broken = same->got.front().sequence > told.acknowledged + 1 ? 1 : 0;
  std::set<std::string> there;
  for (size_t i = 0; i < all->got.size(); ++i) {
    broken += all->got[i].sequence == i + 1 ? 0 : 1;
    there.insert(all->got[i].message.body);
  }
  for (const std::string& body : told.kept) broken += there.contains(body) ? 0 : 1;
  subscription->reset();
  co_await topics->Stop();
  co_return broken;
}

TEST_CASE("a power cut at any sync loses no event that was kept, and no place skips one") {
  Run([](Loop& loop) -> Awaitable<void> {
    int last = 0;
    {
      const TemporaryFolder folder;
      CutVfs vfs(CutVfs::Syncs::kKept, 0, 1);
      last = (co_await RunUntilCut(loop, folder, vfs)).syncs;
    }
    REQUIRE(last > 40);
    for (int cut_at = 1; cut_at <= last; ++cut_at) {
      INFO("cut at sync " << cut_at);
      const TemporaryFolder folder;
      Told told;
      {
        CutVfs vfs(CutVfs::Syncs::kKept, cut_at, static_cast<unsigned>(cut_at));
        told = co_await RunUntilCut(loop, folder, vfs);
      }
      REQUIRE(co_await Broken(loop, folder, told) == 0);
    }
  });
}

TEST_CASE("a disk that only says it has synced loses events, and the test of power cuts sees that") {
  Run([](Loop& loop) -> Awaitable<void> {
    int broken = 0;
    for (int cut_at = 21; cut_at <= 41; cut_at += 4) {
      const TemporaryFolder folder;
      Told told;
      {
        CutVfs vfs(CutVfs::Syncs::kIgnored, cut_at, static_cast<unsigned>(cut_at));
        told = co_await RunUntilCut(loop, folder, vfs);
      }
      broken += co_await Broken(loop, folder, told) > 0 ? 1 : 0;
    }
    CHECK(broken > 0);
  });
}

}  // namespace
}  // namespace llm_router
