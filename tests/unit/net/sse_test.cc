#include "router/net/sse.h"

#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

std::vector<std::string> DataOf(const std::vector<std::string>& pieces) {
  std::vector<std::string> data;
  SseReader reader;
  for (const std::string& piece : pieces) {
    REQUIRE(reader.Feed(std::string(piece)).ok());
    for (SseFrame frame; reader.Next(frame);)
      data.push_back(std::string(frame.event) + "|" + std::string(frame.data));
  }
  return data;
}

TEST_CASE("fields are read as the standard says") {
  using Data = std::vector<std::string>;
  CHECK(DataOf({"data: a\n\n"}) == Data{"|a"});
  CHECK(DataOf({"data:a\n\ndata:  b\n\n"}) == Data{"|a", "| b"});
  CHECK(DataOf({"event: e\nid: 7\nretry: 9\n: comment\ndata: a\ndata\ndata: b\n\n"}) == Data{"e|a\n\nb"});
  CHECK(DataOf({": comment\n\n", "\n"}) == Data{"|", "|"});
  CHECK(DataOf({"\xEF\xBB\xBF", "data: a\n\n"}) == Data{"|a"});
  CHECK(DataOf({"\xEF", "\xBB",
                "\xBF"
                "data: a\n\n"}) == Data{"|a"});
  CHECK(DataOf({"data: no end\n"}).empty());
}

TEST_CASE("a frame is there as soon as its last line end is") {
  using Data = std::vector<std::string>;
  CHECK(DataOf({"data: a\r\r"}) == Data{"|a"});
  CHECK(DataOf({"data: a\r\n\r"}).empty());
  CHECK(DataOf({"data: a\r\n\r", "\n"}) == Data{"|a"});
  CHECK(DataOf({"data: a\n\r", "\ndata: b\n\n"}) == Data{"|a", "|b"});
  CHECK(DataOf({"data: a\r", "\r", "data: b\r", "\r"}) == Data{"|a", "|b"});
}

TEST_CASE("a reader knows of the rest of a frame that was cut") {
  SseReader reader;
  SseFrame frame;
  REQUIRE(reader.Feed("data: a\n\ndata: b").ok());
  REQUIRE(reader.Next(frame));
  CHECK(frame.raw == "data: a\n\n");
  CHECK_FALSE(reader.Next(frame));
  CHECK(reader.has_rest());
  REQUIRE(reader.Feed("\n\n").ok());
  REQUIRE(reader.Next(frame));
  CHECK(frame.data == "b");
  CHECK_FALSE(reader.has_rest());
}

TEST_CASE("a frame that grows past the limit is refused, many short ones are not") {
  SseReader reader(16);
  SseFrame frame;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(reader.Feed("data: 0123\n\ndata: 4567\n\n").ok());
    while (reader.Next(frame)) CHECK(frame.data.size() == 4);
  }
  REQUIRE(reader.Feed("data: 0123").ok());
  CHECK(reader.Feed("456789").ok());  // 16 bytes
  CHECK(FaultOf(reader.Feed("0")) == Fault::kProviderBadReply);
}

TEST_CASE("frames are written as SDKs read them") {
  CHECK(SseText("", "{}") == "data: {}\n\n");
  CHECK(SseText("ping", "{}") == "event: ping\ndata: {}\n\n");
}

}  // namespace
}  // namespace llm_router
