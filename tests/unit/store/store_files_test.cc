// Files in the store: filled in pieces, read, listed, deleted, forgotten; also when the process restarts in
// between.
#include <string>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/run.h"
#include "tests/unit/store/store_bench.h"

namespace llm_router {
namespace {

using namespace test;

contract::File FileOf(std::string id, int64_t bytes) {
  contract::File file;
  file.id = std::move(id);
  file.filename = "in.jsonl";
  file.purpose = "batch";
  file.bytes = bytes;
  return file;
}

contract::AppendFile Piece(std::string file, int64_t offset, std::string data) {
  contract::AppendFile ask;
  ask.file = std::move(file);
  ask.offset = offset;
  ask.data = std::move(data);
  return ask;
}

contract::ReadFile From(std::string file, int64_t offset) {
  contract::ReadFile ask;
  ask.file = std::move(file);
  ask.offset = offset;
  return ask;
}

TEST_CASE("a file is filled piece by piece, read as it came, and deleted") {
  const bool restarts = GENERATE(false, true);
  Run([restarts](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, restarts);
    CHECK((co_await STORE(bench).CreateFile("acme", FileOf("f", 6), kStart))->stored == 0);
    CHECK((co_await STORE(bench).AppendFile("acme", Piece("f", 0, "abc")))->stored == 3);
    CHECK((co_await STORE(bench).AppendFile("acme", Piece("f", 0, "abc")))->stored == 3);
    CHECK((co_await STORE(bench).ListFiles("acme", {}))->files.empty());
    CHECK((co_await STORE(bench).AppendFile("acme", Piece("f", 3, "def")))->is_whole());
    const auto first = co_await STORE(bench).ReadFile("acme", From("f", 0));
    CHECK(first->data == "abc");
    CHECK(first->next == 3);
    CHECK(first->has_more);
    const auto last = co_await STORE(bench).ReadFile("acme", From("f", 3));
    CHECK(last->data == "def");
    CHECK_FALSE(last->has_more);
    CHECK((co_await STORE(bench).ListFiles("acme", {}))->files.size() == 1);
    CHECK((co_await STORE(bench).DeleteFile("acme", "f"))->id == "f");
    CHECK(FaultOf((co_await STORE(bench).FindFile("acme", "f")).status()) == Fault::kInvalidRequest);
    CHECK_FALSE((co_await STORE(bench).ReadFile("acme", From("f", 0))).ok());
    co_await bench.Close();
  });
}

TEST_CASE("a gap in a file, more than its size, and another tenant are refused") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    CHECK((co_await STORE(bench).CreateFile("acme", FileOf("f", 4), kStart)).ok());
    CHECK_FALSE((co_await STORE(bench).AppendFile("acme", Piece("f", 1, "b"))).ok());
    CHECK_FALSE((co_await STORE(bench).AppendFile("acme", Piece("f", 0, "abcde"))).ok());
    CHECK_FALSE((co_await STORE(bench).AppendFile("other", Piece("f", 0, "a"))).ok());
    CHECK_FALSE((co_await STORE(bench).FindFile("other", "f")).ok());
    CHECK_FALSE((co_await STORE(bench).DeleteFile("other", "f")).ok());
    CHECK((co_await STORE(bench).FindFile("acme", "f"))->stored == 0);
    co_await bench.Close();
  });
}

TEST_CASE("files are forgotten when they are old") {
  Run([](Loop& loop) -> Awaitable<void> {
    StoreBench bench(loop, false);
    CHECK((co_await STORE(bench).CreateFile("acme", FileOf("old", 1), kStart)).ok());
    CHECK((co_await STORE(bench).CreateFile("acme", FileOf("new", 1), kStart + 2'000)).ok());
    CHECK(*co_await STORE(bench).Prune(kStart + 1'000, 100) == 1);
    CHECK(*co_await STORE(bench).Prune(kStart + 1'000, 100) == 0);
    CHECK_FALSE((co_await STORE(bench).FindFile("acme", "old")).ok());
    CHECK((co_await STORE(bench).FindFile("acme", "new")).ok());
    co_await bench.Close();
  });
}

}  // namespace
}  // namespace llm_router
