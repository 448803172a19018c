// What g++ 12.2 gets wrong and our compiler must get right: temporaries inside co_await expressions are
// destroyed exactly once, also when the coroutine was suspended in between. Built as a test so that a change
// of the compiler shows.
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

// Counts itself, and owns memory so that AddressSanitizer sees a second destruction, too.
class Counted {
 public:
  explicit Counted(std::string text) : text_(std::make_unique<std::string>(std::move(text))) { ++alive; }
  Counted(const Counted& other) : Counted(*other.text_) {}
  Counted(Counted&& other) noexcept : text_(std::make_unique<std::string>(*other.text_)) { ++alive; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  const std::string& text() const { return *text_; }

  static inline int alive = 0;

 private:
  std::unique_ptr<std::string> text_;
};

const std::string kLong = "longer than a string keeps inside of itself";

Awaitable<void> Suspend() { (void)co_await Sleep(Now()); }

struct Pair {  // an aggregate, on purpose
  Counted first;
  Counted second;
};

struct Defaults {  // an aggregate with default member initialisers
  Counted given;
  Counted defaulted = Counted(kLong);
  int number = 7;
};

Awaitable<size_t> LengthOf(Pair pair) {
  co_await Suspend();
  co_return pair.first.text().size() + pair.second.text().size();
}

Awaitable<size_t> LengthOfDefaults(Defaults defaults) {
  co_await Suspend();
  co_return defaults.given.text().size() + defaults.defaulted.text().size() + size_t(defaults.number);
}

template <class Function>
Awaitable<size_t> Call(Function function) {
  co_await Suspend();
  co_return function();
}

Awaitable<Counted> Make(std::string text) {
  co_await Suspend();
  co_return Counted(std::move(text));
}

// Not a coroutine: the list's array lives in the caller's co_await expression.
Awaitable<size_t> Sum(std::initializer_list<Counted> list) {
  size_t sum = 0;
  for (const auto& counted : list) sum += counted.text().size();
  return Call([sum] { return sum; });
}

void RunCounted(const std::function<Awaitable<void>()>& body) {
  Counted::alive = 0;
  test::Run([&](Loop&) { return body(); });
  REQUIRE(Counted::alive == 0);
}

TEST_CASE("An aggregate made inside a co_await expression is destroyed once") {
  RunCounted([]() -> Awaitable<void> {
    REQUIRE(co_await LengthOf(Pair{Counted(kLong), Counted(kLong)}) == 2 * kLong.size());
    REQUIRE(co_await LengthOf({Counted(kLong), Counted("short")}) == kLong.size() + 5);
  });
}

TEST_CASE("The captures of a lambda made inside a co_await expression are destroyed once") {
  RunCounted([]() -> Awaitable<void> {
    const Counted kept(kLong);
    REQUIRE(co_await Call([kept] { return kept.text().size(); }) == kLong.size());
    REQUIRE(co_await Call([moved = Counted("short")] { return moved.text().size(); }) == 5);
  });
}

TEST_CASE("Of a conditional with a co_await in either branch only the branch taken is made and destroyed") {
  RunCounted([]() -> Awaitable<void> {
    for (const bool first : {true, false}) {
      const Counted chosen = first ? co_await Make(kLong) : co_await Make("short");
      REQUIRE(chosen.text() == (first ? kLong : "short"));
      const Counted mixed = first ? Counted("short") : co_await Make(kLong);
      REQUIRE(mixed.text() == (first ? "short" : kLong));
    }
  });
}

TEST_CASE("An aggregate's default member initialisers work inside a co_await expression") {
  RunCounted([]() -> Awaitable<void> {
    REQUIRE(co_await LengthOfDefaults({.given = Counted(kLong)}) == 2 * kLong.size() + 7);
    REQUIRE(co_await LengthOfDefaults(Defaults{Counted("short")}) == kLong.size() + 5 + 7);
  });
}

TEST_CASE("An initializer list inside a co_await expression lives until the awaited coroutine ended") {
  RunCounted([]() -> Awaitable<void> {
    REQUIRE(co_await Sum({Counted(kLong), Counted("short"), Counted(kLong)}) == 2 * kLong.size() + 5);
  });
}

}  // namespace
}  // namespace llm_router
