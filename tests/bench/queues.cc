// The embedded broker's queues: sends that return when the disk has them, and receives with their
// acknowledgement, beside raw SQLite and a bare append with fdatasync in the same run. A JSON line a figure.
//
//   bench_queues FOLDER SECONDS      FOLDER on the disk that is meant
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "tests/support/slow_syncs.h"

namespace llm_router {
namespace {

constexpr size_t kBody = 1'024;
constexpr std::chrono::milliseconds kSlow(10);

struct Figure {
  std::string work, disk;
  int in_flight = 1;
  std::vector<double> micros;
  size_t messages = 0;
  double seconds = 0;
};

void Print(Figure figure) {
  std::sort(figure.micros.begin(), figure.micros.end());
  const auto at = [&](double share) {
    const auto last = static_cast<double>(figure.micros.size() - 1);
    return figure.micros.empty() ? 0 : figure.micros[static_cast<size_t>(share * last)];
  };
  std::printf(
      R"({"work": "%s", "disk": "%s", "in_flight": %d, "per_second": %.0f, "p50_us": %.0f, "p99_us": %.0f})"
      "\n",
      figure.work.c_str(), figure.disk.c_str(), figure.in_flight,
      static_cast<double>(figure.messages) / figure.seconds, at(0.5), at(0.99));
  std::fflush(stdout);
}

double MicrosSince(TimePoint begin) {
  return std::chrono::duration<double, std::micro>(Now() - begin).count();
}

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "bench_queues: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::vector<Outgoing> One() {
  std::vector<Outgoing> messages(1);
  messages[0].message.body.assign(kBody, 'x');
  return messages;
}

class Bench {
 public:
  Bench(Loop& loop, std::filesystem::path folder, double seconds)
      : loop_(loop), folder_(std::move(folder)), length_(std::chrono::duration<double>(seconds)) {}

  Awaitable<void> All() {
    for (const int in_flight : {1, 64, 1'000}) {
      Appends(in_flight);
      Raw(in_flight, "");
      co_await Queues(in_flight, "");
    }
    const test::SlowSyncs slow(kSlow);
    for (const int in_flight : {1, 64, 1'000}) {
      Raw(in_flight, test::SlowSyncs::kName);
      co_await Queues(in_flight, test::SlowSyncs::kName);
    }
  }

 private:
  using Body = Awaitable<void> (Bench::*)(DurableQueues&, Figure&, TimePoint);

  Figure Begin(std::string work, int in_flight, const std::string& vfs) {
    Figure figure;
    figure.work = std::move(work);
    figure.in_flight = in_flight;
    figure.disk = vfs.empty() ? "as it is" : "sync + 10 ms";
    return figure;
  }
  TimePoint End() const { return Now() + std::chrono::duration_cast<std::chrono::nanoseconds>(length_); }
  std::filesystem::path Fresh() {
    std::filesystem::remove_all(folder_ / "queues");
    std::filesystem::create_directories(folder_ / "queues");
    return folder_ / "queues";
  }

  // What a disk gives when `group` messages are written at once.
  void Appends(int group) {
    Figure figure = Begin("append + fdatasync", group, "");
    const int file = open((Fresh() / "file").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const std::string bytes(kBody * static_cast<size_t>(group), 'x');
    const TimePoint begin = Now();
    for (const TimePoint end = End(); Now() < end; figure.messages += static_cast<size_t>(group)) {
      const TimePoint start = Now();
      if (write(file, bytes.data(), bytes.size()) < 0 || fdatasync(file) != 0) std::exit(1);
      figure.micros.push_back(MicrosSince(start));
    }
    figure.seconds = MicrosSince(begin) / 1e6;
    close(file);
    Print(std::move(figure));
  }

  // The same by SQLite, one table, in transactions of as many.
  void Raw(int group, const std::string& vfs) {
    Figure figure = Begin("raw SQLite inserts", group, vfs);
    auto database = OpenSqlite(Fresh() / "raw.sqlite", vfs);
    if (!database.ok()) Die(database.status());
    (*database)->exec("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
    SQLite::Statement insert(**database, "INSERT INTO t(body) VALUES(?)");
    const std::string body(kBody, 'x');
    const TimePoint begin = Now();
    for (const TimePoint end = End(); Now() < end; figure.messages += static_cast<size_t>(group)) {
      const TimePoint start = Now();
      (*database)->exec("BEGIN IMMEDIATE");
      for (int i = 0; i < group; ++i) {
        insert.bindNoCopy(1, body.data(), static_cast<int>(body.size()));
        insert.exec();
        insert.reset();
      }
      (*database)->exec("COMMIT");
      figure.micros.push_back(MicrosSince(start));
    }
    figure.seconds = MicrosSince(begin) / 1e6;
    Print(std::move(figure));
  }

  Awaitable<void> Queues(int in_flight, std::string vfs) {
    QueueOptions options;
    options.folder = Fresh();
    options.vfs = vfs;
    auto opened = DurableQueues::Open(loop_.executor(), options);
    if (!opened.ok()) Die(opened.status());
    const auto queues = *std::move(opened);
    co_await Measure(*queues, Begin("send", in_flight, vfs), &Bench::SendSome);
    co_await Measure(*queues, Begin("receive + ack", in_flight, vfs), &Bench::ReceiveSome);
    co_await queues->Stop();
  }

  Awaitable<void> Measure(DurableQueues& queues, Figure figure, Body body) {
    TaskGroup tasks(loop_.executor());
    const TimePoint begin = Now();
    const TimePoint end = End();
    for (int i = 0; i < figure.in_flight; ++i) tasks.Spawn((this->*body)(queues, figure, end));
    co_await tasks.Join();
    figure.seconds = MicrosSince(begin) / 1e6;
    Print(std::move(figure));
  }

  Awaitable<void> SendSome(DurableQueues& queues, Figure& figure, TimePoint end) {
    while (Now() < end) {
      const TimePoint start = Now();
      const auto sent = co_await queues.Send("bench", One());
      if (!sent.ok()) Die(sent.status());
      figure.micros.push_back(MicrosSince(start));
      ++figure.messages;
    }
  }

  Awaitable<void> ReceiveSome(DurableQueues& queues, Figure& figure, TimePoint end) {
    while (Now() < end) {
      const TimePoint start = Now();
      auto got = co_await queues.Receive("bench", ReceiveOptions());
      if (!got.ok()) Die(got.status());
      if (got->empty()) co_return;
      std::vector<Receipt> receipts(1);
      receipts[0] = got->front().receipt;
      const absl::Status settled = co_await queues.Settle(std::move(receipts), Settlement());
      if (!settled.ok()) Die(settled);
      figure.micros.push_back(MicrosSince(start));
      ++figure.messages;
    }
  }

  Loop& loop_;
  const std::filesystem::path folder_;
  const std::chrono::duration<double> length_;
};

}  // namespace
}  // namespace llm_router

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s FOLDER SECONDS\n", argv[0]);
    return 2;
  }
  llm_router::Loop loop;
  llm_router::Bench bench(loop, argv[1], std::atof(argv[2]));
  loop.RunUntilDone([&] { return bench.All(); });
}
