// What works of one transaction do to each other when one of them fails.
#include "broker_adapters/base/commit_thread.h"

#include <sqlite3.h>

#include <functional>
#include <future>
#include <map>
#include <string>
#include <utility>

#include "broker_adapters/base/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/support/temporary_folder.h"

namespace llm_router {
namespace {

using test::Run;
using test::TemporaryFolder;

constexpr const char* kTable = "CREATE TABLE t(x INTEGER PRIMARY KEY)";

// Three works in one transaction: 1 and 3 are written, and so is 2 before `fail`.
struct Outcome {
  std::map<int, absl::Status> told;
  int rows = 0;
  int damaged = 0;
};

Awaitable<Outcome> Three(Loop& loop, std::function<absl::Status()> fail) {
  const TemporaryFolder folder;
  Outcome outcome;
  auto opened = OpenSqlite(folder.path() / "t.sqlite");
  if (!opened.ok()) FAIL(opened.status().ToString());
  SQLite::Database& database = **opened;
  database.exec(kTable);
  CommitThread::Hooks hooks;
  hooks.damaged = [&outcome] { ++outcome.damaged; };
  CommitThread commits(loop.executor(), *std::move(opened), std::move(hooks));
  // The thread is held, in a transaction of its own, until all are there.
  std::promise<void> begun, go;
  commits.Submit(
      [&begun, held = go.get_future().share()] {
        begun.set_value();
        held.wait();
        return absl::OkStatus();
      },
      0, [](const absl::Status&) {});
  begun.get_future().wait();
  for (const int number : {1, 2, 3}) {
    commits.Submit(
        [&database, number, fail] {
          database.exec("INSERT INTO t VALUES(" + std::to_string(number) + ")");
          return number == 2 ? fail() : absl::OkStatus();
        },
        1, [&outcome, number](const absl::Status& status) { outcome.told[number] = status; });
  }
  commits.Submit(
      [&database, &outcome] {
        outcome.rows = database.execAndGet("SELECT COUNT(*) FROM t").getInt();
        return absl::OkStatus();
      },
      0, [](const absl::Status&) {});
  go.set_value();
  co_await commits.Stop();
  co_return outcome;
}

TEST_CASE("a work that returns a failure fails alone, and what it did is taken back") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Outcome outcome = co_await Three(loop, [] { return absl::InternalError("no"); });
    CHECK(outcome.told.at(1).ok());
    CHECK(outcome.told.at(2).message() == "no");
    CHECK(outcome.told.at(3).ok());
    CHECK(outcome.rows == 2);
    CHECK(outcome.damaged == 0);
  });
}

TEST_CASE("a work that comes across damage fails alone, and it is told") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Outcome outcome =
        co_await Three(loop, []() -> absl::Status { throw SQLite::Exception("bad page", SQLITE_CORRUPT); });
    CHECK(outcome.told.at(1).ok());
    CHECK(IsSqliteDamage(outcome.told.at(2)));
    CHECK(outcome.told.at(3).ok());
    CHECK(outcome.rows == 2);
    CHECK(outcome.damaged == 1);
  });
}

TEST_CASE("a disk that fails fails all that were to be written at once") {
  Run([](Loop& loop) -> Awaitable<void> {
    const Outcome outcome =
        co_await Three(loop, []() -> absl::Status { throw SQLite::Exception("full", SQLITE_FULL); });
    for (const int number : {1, 2, 3}) CHECK_FALSE(outcome.told.at(number).ok());
    CHECK(outcome.damaged == 0);
  });
}

}  // namespace
}  // namespace llm_router
