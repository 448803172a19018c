// Bits of the file of stored events that turn around, and files that end too early: what is left is served,
// nothing else, and every start succeeds.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/sqlite_repair.h"
#include "broker_adapters/embedded/queue_record.h"
#include "broker_adapters/embedded/stored_topics.h"
#include "tests/support/catch.h"
#include "tests/support/hurt_file.h"
#include "tests/support/temporary_folder.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

constexpr int kPlaces = 100;  // a file
constexpr int kEach = 150;    // events a channel
constexpr uint64_t kRead = 30;
constexpr const char* kFile = "events.sqlite";
const std::set<std::string> kChannels = {"alpha", "beta", "gamma"};

std::string BodyOf(const std::string& channel, uint64_t number) {
  return fmt::format("{} {} {}", channel, number, std::string(number % 7 * 200, 'x'));
}

StoredTopics::Disk Open(const fs::path& folder) {
  StoredOptions options;
  options.folder = folder;
  auto disk = StoredTopics::OpenDisk(options);
  if (!disk.ok()) FAIL(disk.status().ToString());
  return *std::move(disk);
}

void Add(StoredFile& file, const std::string& channel, const std::string& body) {
  KeptMessage kept;
  kept.message = Message(channel, body);
  (void)file.Add(channel, Encode(kept), 1);
}

// Fills `folder`, and keeps a copy of its files as they lie while they are open, WAL and all.
void Fill(const fs::path& folder, const fs::path& open_copy) {
  const StoredTopics::Disk disk = Open(folder);
  for (uint64_t number = 1; number <= kEach; ++number) {
    for (const std::string& channel : kChannels) Add(*disk.file, channel, BodyOf(channel, number));
  }
  for (const std::string& channel : kChannels) {
    StoredPlace place = disk.file->FindOrMake(channel, StoredOwner("reader", ""), StoredStart());
    place.position = kRead;
    disk.file->Move(place);
  }
  fs::copy(folder, open_copy);
}

struct Seen {
  int right = 0;
  int wrong = 0;
  bool failed = false;
};

Seen Look(StoredFile& file, const fs::path& path) {
  Seen seen;
  const absl::Status looked = TrySqlite([&] {
    for (const std::string& channel : kChannels) {
      for (const StoredFile::Row& row : file.Read(channel, 0, 10'000, 1'000'000'000).events) {
        const auto kept = Decode(row.record);
        const bool is_right = kept.ok() && kept->message.body == BodyOf(channel, row.sequence);
        ++(is_right ? seen.right : seen.wrong);
      }
    }
  });
  seen.failed = !looked.ok();
  if (IsSqliteDamage(looked)) MarkDamaged(path);
  for (const StoredFile::Channel& channel : file.channels()) {
    seen.wrong += kChannels.contains(channel.totals.name) || channel.totals.name == "after" ? 0 : 1;
    // Events may come again; none is skipped.
    for (const StoredPlace& place : channel.places) {
      if (place.owner.client_id == "reader" && place.position > kRead) ++seen.wrong;
    }
  }
  return seen;
}

// Hurts `file` of a copy of the folder `whole` at each of the places. How many events were served in all.
int64_t HurtAll(const fs::path& whole, const std::string& file, unsigned seed) {
  std::mt19937 random(seed);
  int64_t served = 0;
  for (int place = 0; place < kPlaces; ++place) {
    INFO("seed " << seed << " place " << place);
    const TemporaryFolder folder;
    fs::copy(whole, folder.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    test::HurtFile(folder.path() / file, random);
    // In use it may show that it is damaged; that is mended by the next start.
    REQUIRE(Look(*Open(folder.path()).file, folder.path() / kFile).wrong == 0);
    const StoredTopics::Disk disk = Open(folder.path());
    const Seen seen = Look(*disk.file, folder.path() / kFile);
    REQUIRE(seen.wrong == 0);
    REQUIRE_FALSE(seen.failed);
    served += seen.right;
    Add(*disk.file, "after", "after");
    REQUIRE(disk.file->Read("after", 0, 10, 1'000).events.size() == 1);
  }
  return served;
}

TEST_CASE(
    "a damaged file never serves a wrong stored event, keeps what can be read, and never stops a start") {
  const TemporaryFolder folder;
  Fill(folder.path() / "closed", folder.path() / "open");
  const auto all = static_cast<int64_t>(kPlaces) * kEach * static_cast<int64_t>(kChannels.size());
  CHECK(HurtAll(folder.path() / "closed", kFile, 1) > all * 3 / 4);
  CHECK(HurtAll(folder.path() / "open", std::string(kFile) + "-wal", 2) > all / 4);
  CHECK(HurtAll(folder.path() / "open", kFile, 3) > all / 4);
}

TEST_CASE("a repair of stored events sets the file aside, keeps places, and names a channel by its events") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / kFile;
  Fill(folder.path(), folder.path() / "copy");
  {
    SQLite::Database database(path.string(), SQLite::OPEN_READWRITE);
    database.exec("UPDATE channels SET name = CAST('beto' AS BLOB) WHERE name = CAST('beta' AS BLOB)");
  }
  MarkDamaged(path);
  const StoredTopics::Disk disk = Open(folder.path());
  CHECK(test::CountSetAside(folder.path()) == 1);
  CHECK(Look(*disk.file, path).right == kEach * 3);
  for (const std::string& channel : kChannels)
    CHECK(disk.file->FindOrMake(channel, StoredOwner("reader", ""), StoredStart()).position == kRead);
  Add(*disk.file, "beta", BodyOf("beta", kEach + 1));
  CHECK(disk.file->Read("beta", kEach, 10, 10'000).events.at(0).sequence == kEach + 1);
}

TEST_CASE("a file of stored events that is none, or ends within its first page, is set aside") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / kFile;
  for (const size_t bytes : {size_t{1}, size_t{99}, size_t{2'048}}) {
    Fill(folder.path(), folder.path() / fmt::format("copy{}", bytes));
    fs::resize_file(path, bytes);
    CHECK(Look(*Open(folder.path()).file, path).right == 0);
    fs::remove(path);
  }
  CHECK(test::CountSetAside(folder.path()) == 3);
  std::ofstream(path) << std::string(10'000, '?');
  CHECK(Look(*Open(folder.path()).file, path).right == 0);
  CHECK(test::CountSetAside(folder.path()) == 4);
}

TEST_CASE("a file of stored events without a byte has what its WAL has") {
  const TemporaryFolder folder;
  Fill(folder.path() / "closed", folder.path() / "open");
  fs::resize_file(folder.path() / "open" / kFile, 0);
  CHECK(Look(*Open(folder.path() / "open").file, folder.path() / "open" / kFile).right > 0);
  CHECK(test::CountSetAside(folder.path() / "open") == 1);
}

}  // namespace
}  // namespace llm_router
