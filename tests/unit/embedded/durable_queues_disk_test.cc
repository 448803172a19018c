// A disk that is full, or read-only, or another process's; and what the queues take of it.
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "proto/fault.h"
#include "tests/support/cut_vfs.h"
#include "tests/unit/embedded/queues_kit.h"

namespace llm_router {
namespace {

using test::Bodies;
using test::CutVfs;
using test::Open;
using test::Receive;
using test::Run;
using test::Send;
using test::Settle;
using test::TemporaryFolder;
using test::Texts;

constexpr auto kNack = Settlement::Verdict::kNack;

// A small disk of its own, gone at the end.
class SmallDisk {
 public:
  SmallDisk() : is_there_(mount("none", folder_.path().c_str(), "tmpfs", 0, "size=8m") == 0) {
    if (!is_there_) WARN("skipped: mounting a small disk needs root and the right to mount");
  }
  ~SmallDisk() {
    if (is_there_) (void)umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_there() const { return is_there_; }
  const std::filesystem::path& path() const { return folder_.path(); }
  bool Remount(unsigned long flags) const {
    return mount("none", path().c_str(), "tmpfs", MS_REMOUNT | flags, "size=8m") == 0;
  }

 private:
  const TemporaryFolder folder_;
  const bool is_there_;
};

TEST_CASE("a full disk refuses sends with the remedy, keeps what it took, and drains while it is full") {
  const SmallDisk disk;
  if (!disk.is_there()) return;
  Run([&disk](Loop& loop) -> Awaitable<void> {
    auto queues = Open(loop, disk.path());
    std::set<std::string> kept;
    absl::Status sent = absl::OkStatus();
    for (int i = 0; i < 20'000 && sent.ok(); ++i) {
      const std::string body = std::to_string(i) + std::string(5'000, 'x');
      sent = co_await Send(*queues, "q", {body});
      if (sent.ok()) kept.insert(body);
    }
    CHECK(FaultOf(sent) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(sent)), Catch::Contains("make room"));
    CHECK(kept.size() > 500);
    // Stopped and opened again on the full disk: all is there.
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, disk.path());
    const auto nacked = co_await Receive(*queues, "q", 10);
    CHECK((co_await Settle(*queues, nacked, kNack)).ok());
    while (!kept.empty()) {
      const auto got = co_await Receive(*queues, "q", 10);
      REQUIRE_FALSE(got.empty());
      for (const Delivery& delivery : got) REQUIRE(kept.erase(delivery.message.body) == 1);
      REQUIRE((co_await Settle(*queues, got)).ok());
    }
    CHECK((co_await Send(*queues, "q", {"room again"})).ok());
    co_await queues->Stop();
  });
}

TEST_CASE(
    "a disk that another fills up fails what needs room, and nothing is lost when there is room again") {
  const SmallDisk disk;
  if (!disk.is_there()) return;
  Run([&disk](Loop& loop) -> Awaitable<void> {
    auto queues = Open(loop, disk.path());
    CHECK((co_await Send(*queues, "q", Texts(100, std::string(5'000, 'x')))).ok());
    const auto leased = co_await Receive(*queues, "q", 100);
    {
      FILE* const filler = std::fopen((disk.path() / "filler").c_str(), "w");
      const std::string bytes(4'096, 'f');
      while (std::fwrite(bytes.data(), bytes.size(), 1, filler) == 1 && std::fflush(filler) == 0) {
      }
      (void)std::fclose(filler);
    }
    const absl::Status refused = co_await Send(*queues, "q", {"refused"});
    CHECK(FaultOf(refused) == Fault::kStorageFailed);
    // Nacks write as much as sends do. Those that fail leave their leases as they were.
    const absl::Status nacked = co_await Settle(*queues, leased, kNack);
    if (!nacked.ok()) CHECK(FaultOf(nacked) == Fault::kStorageFailed);
    std::filesystem::remove(disk.path() / "filler");
    if (!nacked.ok()) CHECK((co_await Settle(*queues, leased, kNack)).ok());
    CHECK((co_await Send(*queues, "q", {"taken"})).ok());
    co_await queues->Stop();
    queues.reset();
    queues = Open(loop, disk.path());
    const auto info = co_await queues->Info("q");
    REQUIRE(info.ok());
    CHECK(info->waiting == 101);
    co_await queues->Stop();
  });
}

TEST_CASE("a read-only disk is refused with the remedy, and taken when it can be written again") {
  const SmallDisk disk;
  if (!disk.is_there()) return;
  Run([&disk](Loop& loop) -> Awaitable<void> {
    auto queues = Open(loop, disk.path());
    CHECK((co_await Send(*queues, "q", {"kept"})).ok());
    co_await queues->Stop();
    queues.reset();
    REQUIRE(disk.Remount(MS_RDONLY));
    QueueOptions options;
    options.folder = disk.path();
    const auto refused = DurableQueues::Open(loop.executor(), options);
    CHECK(FaultOf(refused.status()) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(refused.status())), Catch::Contains("not read-only"));
    REQUIRE(disk.Remount(0));
    queues = Open(loop, disk.path());
    CHECK(Bodies(co_await Receive(*queues, "q")) == Texts{"kept"});
    co_await queues->Stop();
  });
}

TEST_CASE("a disk that turns read-only in use fails what writes, and serves again by itself") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    CutVfs vfs(CutVfs::Syncs::kKept, 0, 1);
    auto queues = Open(loop, folder.path(), vfs.name());
    CHECK((co_await Send(*queues, "q", {"a", "b"})).ok());
    vfs.Protect();
    const absl::Status refused = co_await Send(*queues, "q", {"c"});
    CHECK(FaultOf(refused) == Fault::kStorageFailed);
    CHECK_THAT(std::string(MessageOf(refused)), Catch::Contains("not read-only"));
    const auto acked = co_await Receive(*queues, "q", 1);
    const auto nacked = co_await Receive(*queues, "q", 1);
    CHECK_FALSE((co_await Settle(*queues, acked)).ok());
    CHECK_FALSE((co_await Settle(*queues, nacked, kNack)).ok());
    vfs.Free();
    CHECK((co_await Settle(*queues, acked)).ok());
    CHECK((co_await Settle(*queues, nacked, kNack)).ok());
    CHECK((co_await Send(*queues, "q", {"d"})).ok());
    const auto got = co_await Receive(*queues, "q");
    CHECK(Bodies(got) == Texts{"b", "d"});
    CHECK(got[0].attributes.sequence == 3);  // what failed used up no number
    co_await queues->Stop();
  });
}

Awaitable<void> SendInto(DurableQueues& queues, std::string body, std::shared_ptr<std::vector<bool>> taken) {
  taken->push_back((co_await Send(queues, "q", {std::move(body)})).ok());
}

TEST_CASE("a message too big for the disk fails alone, not with those it was written with") {
  const SmallDisk disk;
  if (!disk.is_there()) return;
  Run([&disk](Loop& loop) -> Awaitable<void> {
    auto queues = Open(loop, disk.path());
    const auto taken = std::make_shared<std::vector<bool>>();
    TaskGroup tasks(loop.executor());
    tasks.Spawn(SendInto(*queues, "small", taken));
    tasks.Spawn(SendInto(*queues, std::string(20'000'000, 'x'), taken));
    tasks.Spawn(SendInto(*queues, "small too", taken));
    co_await tasks.Join();
    CHECK(*taken == std::vector<bool>{true, false, true});
    CHECK(Bodies(co_await Receive(*queues, "q")) == Texts{"small", "small too"});
    co_await queues->Stop();
  });
}

TEST_CASE("a second process on a folder is refused, with the folder's name and the remedy") {
  const TemporaryFolder folder;
  int opened[2];
  REQUIRE(pipe(opened) == 0);
  // Before there is any other thread.
  const pid_t second = fork();
  if (second == 0) {
    char go = 0;
    (void)!read(opened[0], &go, 1);
    Loop loop;
    QueueOptions options;
    options.folder = folder.path();
    const auto refused = DurableQueues::Open(loop.executor(), options);
    const std::string text(MessageOf(refused.status()));
    const bool right = !refused.ok() && FaultOf(refused.status()) == Fault::kStorageFailed &&
                       text.find(folder.path().string()) != std::string::npos &&
                       text.find("a folder of its own") != std::string::npos;
    _exit(right ? 0 : 1);
  }
  Run([&](Loop& loop) -> Awaitable<void> {
    auto queues = Open(loop, folder.path());
    CHECK((co_await Send(*queues, "q", {"a"})).ok());
    REQUIRE(write(opened[1], "x", 1) == 1);
    int status = 0;
    REQUIRE(waitpid(second, &status, 0) == second);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK((co_await Send(*queues, "q", {"b"})).ok());
    co_await queues->Stop();
  });
  (void)close(opened[0]);
  (void)close(opened[1]);
}

TEST_CASE("drained messages leave the disk, and the WAL stays within its bound") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    const auto file = folder.path() / "queues.sqlite";
    auto queues = Open(loop, folder.path());
    constexpr uintmax_t kWal = uintmax_t{24} * 1024 * 1024;
    for (int i = 0; i < 60; ++i) {
      CHECK((co_await Send(*queues, "q", Texts(1'000, std::string(1'000, 'x')))).ok());
      CHECK(std::filesystem::file_size(folder.path() / "queues.sqlite-wal") < kWal);
    }
    CHECK(std::filesystem::file_size(file) > 40'000'000);
    CHECK((co_await queues->Purge("q")).ok());
    CHECK(std::filesystem::file_size(folder.path() / "queues.sqlite-wal") < kWal);
    for (int i = 0; i < 300; ++i) CHECK((co_await Send(*queues, "q", {"little"})).ok());
    co_await queues->Stop();
    queues.reset();
    CHECK(std::filesystem::file_size(file) < 20'000'000);
  });
}

}  // namespace
}  // namespace llm_router
