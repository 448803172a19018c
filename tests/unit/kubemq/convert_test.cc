#include "broker_adapters/kubemq/convert.h"

#include <limits>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("a query survives the way to the wire and back, but for its deadline's fraction") {
  Query query(Kind::kCommand, Message("c", std::string("\0\xff", 2)), Now() + std::chrono::seconds(5));
  query.message.id = "id";
  query.message.metadata = "metadata";
  query.message.client_id = "client";
  query.message.span = std::string("\xff\0", 2);
  query.message.tags = {{"a", "1"}, {"b", ""}};
  const Query back = FromWire(ToWire(query), Now());
  CHECK(back.kind == Kind::kCommand);
  CHECK(back.message.id == "id");
  CHECK(back.message.channel == "c");
  CHECK(back.message.body == query.message.body);
  CHECK(back.message.metadata == "metadata");
  CHECK(back.message.client_id == "client");
  CHECK(back.message.span == query.message.span);
  CHECK(back.message.tags == query.message.tags);
  CHECK(back.deadline > Now() + std::chrono::seconds(4));
}

TEST_CASE("deadlines past and far beyond fit the wire's milliseconds") {
  Query query(Kind::kQuery, Message("c", "b"), Now() - std::chrono::seconds(1));
  CHECK(ToWire(query).timeout() == 1);
  query.deadline = Now() + std::chrono::hours(24 * 365);
  CHECK(ToWire(query).timeout() == std::numeric_limits<int32_t>::max());
}

TEST_CASE("a byte that is no UTF-8 is replaced in strings and left alone in bodies") {
  struct Row {
    const char* text;
    const char* clean;
  };
  const Row rows[] = {
      {"plain", "plain"},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"a\xff"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xc3", "\xef\xbf\xbd"},                                                  // cut short
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                  // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                  // surrogate
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // beyond the last
  };
  for (const Row& row : rows) {
    Reply reply;
    reply.error = row.text;
    reply.message.body = row.text;
    reply.message.tags = {{row.text, row.text}};
    const kubemq::Response wire = ToWire(reply);
    CHECK(wire.error() == row.clean);
    CHECK(wire.body() == row.text);
    CHECK(wire.tags().at(row.clean) == row.clean);
  }
}

TEST_CASE("a failed status is known again behind the wire, even where the body is cut off") {
  const auto failure = MakeFault(Fault::kProviderBusy, "come back later", std::chrono::seconds(7));
  const Tags tags = {{"query", "q1"}, {"request-id", "r1"}, {"dialect", "anthropic.messages"}};
  Reply reply = FailedReply(failure, tags);
  CHECK_FALSE(reply.executed);
  CHECK(reply.error == "come back later");
  CHECK(reply.message.tags.at("query") == "q1");
  CHECK(reply.message.tags.at("request-id") == "r1");
  auto back = FailureIn(FromWire(ToWire(reply)));
  REQUIRE(back);
  CHECK(FaultOf(*back) == Fault::kProviderBusy);
  CHECK(MessageOf(*back) == "come back later");
  CHECK(RetryAfterOf(*back) == std::chrono::seconds(7));
  reply.message.body.clear();
  back = FailureIn(reply);
  REQUIRE(back);
  CHECK(FaultOf(*back) == Fault::kProviderBusy);
}

TEST_CASE("a handler's own failed reply is no failed status") {
  Reply reply;
  reply.error = "no";
  CHECK_FALSE(FailureIn(reply));
  reply.message.tags = {{"fault", "no such fault"}};
  CHECK_FALSE(FailureIn(reply));
  reply.message.tags = {{"fault", "timeout"}};
  reply.executed = true;
  CHECK_FALSE(FailureIn(reply));
}

TEST_CASE("an event without a time gets one on its way to the subscriber") {
  Message event("c", "b");
  const int64_t before = UnixNanos();
  CHECK(EventReceiveToWire(event).timestamp() >= before);
  event.timestamp = 5;
  CHECK(EventReceiveToWire(event).timestamp() == 5);
}

}  // namespace
}  // namespace llm_router
