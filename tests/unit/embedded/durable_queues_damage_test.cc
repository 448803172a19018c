// Bits that turn around and files that end too early: what is left is served, nothing else, and every start
// succeeds.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "tests/support/hurt_file.h"
#include "tests/unit/embedded/queues_kit.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;
using test::HurtFile;
using test::Open;
using test::Receive;
using test::Run;
using test::Send;
using test::Settle;
using test::TemporaryFolder;
using test::Texts;

constexpr int kPlaces = 100;  // a file
constexpr int kEach = 150;    // messages a queue
constexpr int kDone = 30;     // of them, acknowledged
const Texts kQueues = {"alpha", "beta", "gamma"};

std::string BodyOf(const std::string& queue, int number) {
  return fmt::format("{} {} {}", queue, number, std::string(static_cast<size_t>(number % 7) * 200, 'x'));
}

// Fills `folder`, and keeps a copy of its files as they lie while the queues are open, WAL and all.
Awaitable<void> Fill(Loop& loop, const fs::path& folder, const fs::path& open_copy) {
  auto queues = Open(loop, folder);
  for (int number = 0; number < kEach; ++number) {
    for (const std::string& queue : kQueues)
      CHECK((co_await Send(*queues, queue, {BodyOf(queue, number)})).ok());
  }
  for (const std::string& queue : kQueues) {
    CHECK((co_await Settle(*queues, co_await Receive(*queues, queue, kDone))).ok());
  }
  fs::copy(folder, open_copy);
  co_await queues->Stop();
}

struct Seen {
  int right = 0;
  int wrong = 0;
  bool failed = false;
};

Awaitable<Seen> Look(DurableQueues& queues, bool may_see_done) {
  Seen seen;
  for (const std::string& queue : kQueues) {
    std::set<std::string> real;
    for (int number = may_see_done ? 0 : kDone; number < kEach; ++number) real.insert(BodyOf(queue, number));
    while (true) {
      auto got = co_await queues.Receive(queue, ReceiveOptions());
      seen.failed |= !got.ok();
      if (!got.ok() || got->empty()) break;
      for (const Delivery& delivery : *got)
        ++(real.erase(delivery.message.body) > 0 ? seen.right : seen.wrong);
    }
  }
  co_return seen;
}

// `whole`: a folder to hurt `file` of, at each of the places. Returns how many messages were served in all.
Awaitable<int64_t> HurtAll(Loop& loop, const fs::path& whole, const std::string& file, unsigned seed,
                           bool may_see_done) {
  std::mt19937 random(seed);
  int64_t served = 0;
  for (int place = 0; place < kPlaces; ++place) {
    INFO("seed " << seed << " place " << place);
    const TemporaryFolder folder;
    fs::copy(whole, folder.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    HurtFile(folder.path() / file, random);
    // In use it may show that it is damaged; that is mended by the next start.
    auto queues = Open(loop, folder.path());
    Seen seen = co_await Look(*queues, may_see_done);
    REQUIRE(seen.wrong == 0);
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder.path());
    seen = co_await Look(*queues, may_see_done);
    REQUIRE(seen.wrong == 0);
    REQUIRE_FALSE(seen.failed);
    served += seen.right;
    REQUIRE((co_await Send(*queues, "after", {"after"})).ok());
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, folder.path());
    REQUIRE(test::Bodies(co_await Receive(*queues, "after")) == Texts{"after"});
    co_await queues->Stop();
  }
  co_return served;
}

TEST_CASE("a damaged file never serves a wrong message, keeps what can be read, and never stops a start") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    co_await Fill(loop, folder.path() / "closed", folder.path() / "open");
    const auto all = static_cast<int64_t>(kPlaces) * (kEach - kDone) * static_cast<int64_t>(kQueues.size());
    // A bit costs at most what stands on its page, a truncation what stood behind it.
    const int64_t kept = co_await HurtAll(loop, folder.path() / "closed", "queues.sqlite", 1, false);
    CHECK(kept > all * 3 / 4);
    // A WAL ends at the first place that is damaged: what was done after it is undone.
    CHECK(co_await HurtAll(loop, folder.path() / "open", "queues.sqlite-wal", 2, true) > all / 4);
  });
}

TEST_CASE("a repair sets the damaged file aside, and names a queue again whose name is lost") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "alpha", {"a"})).ok());
    CHECK((co_await Send(*queues, "beta", {"b"})).ok());
    co_await queues->Stop();
    queues.reset();
    {
      SQLite::Database database((folder.path() / "queues.sqlite").string(), SQLite::OPEN_READWRITE);
      database.exec("UPDATE queues SET name = CAST('beto' AS BLOB) WHERE id = 2");
      database.exec("UPDATE queues SET last_sequence = 0 WHERE id = 1");
    }
    queues = Open(loop, folder.path());
    CHECK(test::Bodies(co_await Receive(*queues, "alpha")) == Texts{"a"});
    CHECK(test::Bodies(co_await Receive(*queues, "beta")) == Texts{"b"});
    CHECK((co_await Receive(*queues, "beto")).empty());
    CHECK((co_await Send(*queues, "alpha", {"next"})).ok());
    CHECK((co_await Receive(*queues, "alpha"))[0].attributes.sequence == 2);
    co_await queues->Stop();
    CHECK_FALSE(fs::exists(folder.path() / "queues.sqlite.copy"));
    CHECK(test::CountSetAside(folder.path()) == 1);
  });
}

TEST_CASE("a repair that a crash cut short is finished by the next start") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", {"kept"})).ok());
    co_await queues->Stop();
    queues.reset();
    fs::rename(folder.path() / "queues.sqlite", folder.path() / "queues.sqlite.new");
    std::ofstream(folder.path() / "queues.sqlite-wal") << "of the file that was set aside";
    queues = Open(loop, folder.path());
    CHECK(test::Bodies(co_await Receive(*queues, "q")) == Texts{"kept"});
    co_await queues->Stop();
  });
}

}  // namespace
}  // namespace llm_router
