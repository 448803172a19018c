#include "broker_adapters/pattern.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

bool Matches(const char* pattern, const char* channel) {
  const auto parsed = Pattern::Parse(pattern);
  REQUIRE(parsed.ok());
  return parsed->Matches(channel);
}

TEST_CASE("a name without wildcards matches itself only") {
  CHECK(Matches("a.b", "a.b"));
  CHECK_FALSE(Matches("a.b", "a"));
  CHECK_FALSE(Matches("a.b", "a.b.c"));
  CHECK_FALSE(Matches("a", "A"));
  CHECK(Pattern::Parse("a.b")->is_exact());
}

TEST_CASE("a star stands for exactly one token") {
  CHECK(Matches("a.*", "a.b"));
  CHECK_FALSE(Matches("a.*", "a"));
  CHECK_FALSE(Matches("a.*", "a.b.c"));
  CHECK(Matches("*.b", "a.b"));
  CHECK(Matches("*.*", "a.b"));
  CHECK(Matches("a.*.c", "a.b.c"));
  CHECK_FALSE(Matches("a.*.c", "a.b.d"));
  CHECK_FALSE(Matches("*", "a.b"));
}

TEST_CASE("a last > stands for one token or more") {
  CHECK(Matches("a.>", "a.b"));
  CHECK(Matches("a.>", "a.b.c"));
  CHECK_FALSE(Matches("a.>", "a"));
  CHECK(Matches(">", "a"));
  CHECK(Matches(">", "a.b.c"));
  CHECK(Matches("*.>", "a.b"));
  CHECK_FALSE(Matches("*.>", "a"));
}

TEST_CASE("wildcards inside a token, and > before the end, are accepted and match nothing") {
  CHECK_FALSE(Matches("a.b*", "a.bc"));
  CHECK_FALSE(Matches("a.>.c", "a.b.c"));
  CHECK_FALSE(Matches("*.>.c", "a.b.c"));
  CHECK_FALSE(Matches("a.b>", "a.bc"));
}

TEST_CASE("names that can't be are refused with what is wrong with them") {
  CHECK(MessageOf(CheckChannel("")) == "the channel is empty: name one");
  CHECK(MessageOf(CheckChannel("a b")) ==
        "channel \"a b\" holds white space or a control character: take it out");
  CHECK(MessageOf(CheckChannel("a\tb")) ==
        "channel \"a?b\" holds white space or a control character: take it out");
  CHECK(MessageOf(CheckChannel("a.")) ==
        "channel \"a.\" has nothing before, after or between its dots: put a name there");
  CHECK(MessageOf(CheckChannel("a.*")) == "channel \"a.*\" holds a wildcard: only a subscription may");
  for (const char* bad : {"", " ", ".a", "a.", "a..b", "a\n", "a\x7f"}) {
    INFO(bad);
    CHECK(FaultOf(CheckChannel(bad)) == Fault::kInvalidRequest);
    CHECK(FaultOf(Pattern::Parse(bad).status()) == Fault::kInvalidRequest);
  }
  for (const char* good : {"a", "a.b", "openai_requests", "a/b", "\xc3\xa9"}) CHECK(CheckChannel(good).ok());
  CHECK(CheckGroup("").ok());
  CHECK(CheckGroup("workers").ok());
  CHECK(FaultOf(CheckGroup("two words")) == Fault::kInvalidRequest);
}

TEST_CASE("a long name is cut in an error, between characters") {
  std::string name = " ";
  for (int i = 0; i < 100; ++i) name += "\xc3\xa9";
  const auto refused = CheckChannel(name);
  const auto message = MessageOf(refused);
  CHECK(message.size() < 200);
  CHECK(message.find("\xc3\"") == std::string_view::npos);
  CHECK(message.find("\xc3.") == std::string_view::npos);
}

}  // namespace
}  // namespace llm_router
