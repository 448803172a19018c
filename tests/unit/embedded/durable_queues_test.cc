// What the embedded broker's queues keep through restarts, power cuts, damage and a full disk.
#include "broker_adapters/embedded/durable_queues.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/cut_vfs.h"
#include "tests/support/run.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/embedded/queues_kit.h"

namespace llm_router {
namespace {

using test::Bodies;
using test::CutVfs;
using test::Messages;
using test::Receive;
using test::Run;
using test::Send;
using test::Settle;
using test::TemporaryFolder;
using test::Texts;

std::unique_ptr<DurableQueues> Open(Loop& loop, const TemporaryFolder& folder, const std::string& vfs = "") {
  return test::Open(loop, folder.path(), vfs);
}

TEST_CASE("a restart keeps what was not acknowledged, leased or not, and its order, counts and numbers") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder);
    CHECK((co_await Send(*queues, "q", {"a", "b", "c", "d"})).ok());
    auto got = co_await Receive(*queues, "q", 1);
    CHECK((co_await Settle(*queues, got)).ok());
    got = co_await Receive(*queues, "q", 1);
    CHECK((co_await Settle(*queues, got, Settlement::Verdict::kNack)).ok());
    got = co_await Receive(*queues, "q", 1);
    CHECK(Bodies(got) == Texts{"c"});
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder);
    const auto info = co_await queues->Info("q");
    REQUIRE(info.ok());
    CHECK(info->waiting == 3);
    CHECK(info->leased == 0);
    got = co_await Receive(*queues, "q");
    CHECK(Bodies(got) == Texts{"c", "d", "b"});
    CHECK(got[0].deliveries == 1);
    CHECK(got[0].attributes.sequence == 3);
    CHECK(got[2].deliveries == 2);
    CHECK(got[2].attributes.sequence == 5);
    CHECK((co_await Settle(*queues, got)).ok());
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder);
    CHECK((co_await Send(*queues, "q", {"next"})).ok());
    CHECK((co_await Receive(*queues, "q"))[0].attributes.sequence == 6);
    co_await queues->Stop();
  });
}

TEST_CASE("a delayed message is still delayed after a restart") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder);
    auto messages = Messages({"later"});
    messages[0].delay = std::chrono::hours(1);
    CHECK((co_await queues->Send("q", std::move(messages))).ok());
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder);
    CHECK((co_await Receive(*queues, "q")).empty());
    const auto info = co_await queues->Info("q");
    REQUIRE(info.ok());
    CHECK(info->delayed == 1);
    co_await queues->Stop();
  });
}

TEST_CASE("a folder that is another's is refused with the remedy") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    const auto queues = Open(loop, folder);
    QueueOptions options;
    options.folder = folder.path();
    const auto second = DurableQueues::Open(loop.executor(), options);
    CHECK(FaultOf(second.status()) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(second.status())), Catch::Contains("a folder of its own"));
    co_await queues->Stop();
  });
}

TEST_CASE("what acknowledged messages took of the disk is used again") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder);
    uintmax_t first = 0;
    for (int round = 0; round < 20; ++round) {
      CHECK((co_await Send(*queues, "q", Texts(200, std::string(1'000, 'x')))).ok());
      CHECK((co_await Settle(*queues, co_await Receive(*queues, "q"))).ok());
      const auto size = std::filesystem::file_size(folder.path() / "queues.sqlite");
      if (round == 9) first = size;
      if (round > 9) CHECK(size <= first);
    }
    co_await queues->Stop();
  });
}

TEST_CASE("beyond the bytes that may be kept a send is refused, and room is made by taking messages off") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    QueueOptions options;
    options.folder = folder.path();
    options.max_bytes = 10'000;
    auto queues = *DurableQueues::Open(loop.executor(), options);
    CHECK((co_await Send(*queues, "q", {std::string(8'000, 'x')})).ok());
    const absl::Status refused = co_await Send(*queues, "q", {std::string(8'000, 'y')});
    CHECK(FaultOf(refused) == Fault::kOverloaded);
    CHECK_THAT(std::string(MessageOf(refused)), Catch::Contains("limits.queue_bytes"));
    CHECK((co_await Settle(*queues, co_await Receive(*queues, "q"))).ok());
    CHECK((co_await Send(*queues, "q", {std::string(8'000, 'z')})).ok());
    co_await queues->Stop();
  });
}

// Turns one byte of each of two records around, as a bad disk would.
void Damage(const TemporaryFolder& folder) {
  SQLite::Database database((folder.path() / "queues.sqlite").string(), SQLite::OPEN_READWRITE);
  database.exec("UPDATE messages SET record = CAST(replace(record, 'second', 'sec0nd') AS BLOB)");
  database.exec("UPDATE messages SET queue = 1 WHERE queue = 2");
}

TEST_CASE("a damaged message is set aside, never served, and the others come") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder);
    CHECK((co_await Send(*queues, "q", {"first", "second", "third"})).ok());
    CHECK((co_await Send(*queues, "other", {"not q's"})).ok());
    co_await queues->Stop();
    queues.reset();
    Damage(folder);
    queues = Open(loop, folder);
    CHECK(Bodies(co_await Receive(*queues, "q")) == Texts{"first", "third"});
    co_await queues->Stop();
    queues.reset();
    SQLite::Database database((folder.path() / "queues.sqlite").string());
    CHECK(database.execAndGet("SELECT COUNT(*) FROM damaged").getInt() == 2);
  });
}

TEST_CASE("a full disk fails the send and nothing else, and the next one when there is room") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    CutVfs vfs(CutVfs::Syncs::kKept, 0, 1);
    auto queues = Open(loop, folder, vfs.name());
    CHECK((co_await Send(*queues, "q", {"before"})).ok());
    vfs.Fill();
    const absl::Status full = co_await Send(*queues, "new", {"while full"});
    CHECK(FaultOf(full) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(full)), Catch::Contains("the disk is full"));
    const auto held = co_await Receive(*queues, "q");
    CHECK(Bodies(held) == Texts{"before"});
    CHECK_FALSE((co_await Settle(*queues, held)).ok());
    vfs.Free();
    CHECK((co_await Settle(*queues, held)).ok());
    CHECK((co_await Send(*queues, "new", {"after"})).ok());
    CHECK(Bodies(co_await Receive(*queues, "new")) == Texts{"after"});
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder, vfs.name());
    CHECK((co_await Receive(*queues, "q")).empty());
    CHECK(Bodies(co_await Receive(*queues, "new")) == Texts{"after"});
    co_await queues->Stop();
  });
}

struct Told {
  std::set<std::string> sent;          // acknowledged to the sender
  std::set<std::string> acknowledged;  // by the receiver, and so told
  std::set<std::string> maybe;         // an acknowledgement that failed
  int syncs = 0;
};

// Sends and acknowledges until the power goes, and notes what it was told.
Awaitable<Told> RunUntilCut(Loop& loop, const TemporaryFolder& folder, CutVfs& vfs) {
  Told told;
  QueueOptions options;
  options.folder = folder.path();
  options.vfs = vfs.name();
  auto opened = DurableQueues::Open(loop.executor(), options);
  if (!opened.ok()) co_return told;
  const auto queues = *std::move(opened);
  for (int round = 0; round < 40 && !vfs.is_cut(); ++round) {
    Texts bodies;
    for (int i = 0; i < 5; ++i) bodies.push_back(fmt::format("{}-{}", round, i));
    if ((co_await Send(*queues, "q", bodies)).ok()) told.sent.insert(bodies.begin(), bodies.end());
    if (round % 3 != 0) continue;
    const auto got = co_await queues->Receive("q", ReceiveOptions());
    if (!got.ok()) continue;
    const absl::Status settled = co_await Settle(*queues, *got);
    for (const Delivery& delivery : *got) {
      (settled.ok() ? told.acknowledged : told.maybe).insert(delivery.message.body);
    }
  }
  co_await queues->Stop();
  told.syncs = vfs.syncs();
  co_return told;
}

// How many messages of those that a sender was told are kept are not there, and how many that were done came
// back.
Awaitable<int> Broken(Loop& loop, const TemporaryFolder& folder, const Told& told) {
  QueueOptions options;
  options.folder = folder.path();
  auto queues = DurableQueues::Open(loop.executor(), options);
  if (!queues.ok()) co_return 1'000'000;
  std::set<std::string> there;
  int broken = 0;
  while (true) {
    auto got = co_await (*queues)->Receive("q", ReceiveOptions());
    if (!got.ok()) co_return 1'000'000;
    if (got->empty()) break;
    for (const Delivery& delivery : *got) broken += there.insert(delivery.message.body).second ? 0 : 1;
  }
  co_await (*queues)->Stop();
  for (const std::string& body : told.sent) {
    const bool done = told.acknowledged.contains(body);
    if (told.maybe.contains(body)) continue;
    broken += there.contains(body) == done ? 1 : 0;
  }
  co_return broken;
}

TEST_CASE("a power cut at any sync loses nothing that was acknowledged, and brings nothing back") {
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

TEST_CASE("a disk that only says it has synced loses messages, and the test of power cuts sees that") {
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
