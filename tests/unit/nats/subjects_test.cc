#include "broker_adapters/nats/subjects.h"

#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::nats {
namespace {

TEST_CASE("a channel comes back out of its subject") {
  for (const char* channel : {"a", "openai_requests", "a.b.c"}) {
    CHECK(ChannelOf(QuerySubject(Kind::kQuery, channel)) == channel);
    CHECK(ChannelOf(QuerySubject(Kind::kCommand, channel)) == channel);
    CHECK(ChannelOf(EventSubject(channel)) == channel);
    CHECK(ChannelOf(QueueSubject(channel)) == channel);
  }
  CHECK(QuerySubject(Kind::kQuery, "a") != QuerySubject(Kind::kCommand, "a"));
  CHECK(ChannelOf("nothing").empty());
}

TEST_CASE("every queue has a stream of its own, whose name a stream may have") {
  const std::string names[] = {"a",
                               "A",
                               "a.b",
                               "a-b",
                               "a_b",
                               "a=2eb",
                               "a/b",
                               "\xc3\xa9",
                               std::string(300, 'x'),
                               std::string(300, 'x') + "y",
                               std::string(1'000, '.')};
  for (const std::string& one : names) {
    const std::string stream = StreamOf(one);
    CHECK(stream.size() <= 200);
    CHECK(stream.find_first_of(". */\\>\t") == std::string::npos);
    for (const std::string& other : names) CHECK((StreamOf(other) == stream) == (one == other));
  }
}

TEST_CASE("names that NATS can't carry are refused") {
  for (const char* bad : {"", "two words", "a.*", "a.>", "a.", ".a", "a..b"})
    CHECK(FaultOf(CheckName(bad)) == Fault::kInvalidRequest);
  CHECK(FaultOf(CheckName(std::string(1'025, 'x'))) == Fault::kInvalidRequest);
  CHECK(CheckName("a.b").ok());
  for (const char* good : {"a", "a.*", "*", ">", "a.>", "a.*.b"}) CHECK(CheckPattern(good).ok());
  for (const char* bad : {"", "a.>.b", ">.b", "a b"})
    CHECK(FaultOf(CheckPattern(bad)) == Fault::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router::nats
