// What the doors' spans say, and what the workers behind them are told.
#include "router/gateway/door_span.h"

#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/json_fields.h"
#include "router/telemetry/tracer.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using contract::Json;

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kNotSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

struct Bench {
  std::vector<Json> spans;
  Tracer tracer{100, [this](std::string_view span) { spans.push_back(Json::parse(span)); }};
};

TEST_CASE("who gets the query is below the door's span, and the caller gets its own back") {
  Bench bench;
  Tags tags = {{"traceparent", std::string(kSampled)}, {"tracestate", "a=b"}};
  {
    DoorSpan door(&bench.tracer, kSampled);
    door.Carry(tags);
    const auto carried = contract::ParseTraceparent(TagOr(tags, "traceparent"));
    REQUIRE(carried);
    CHECK(carried->span == door.span().context()->span);
    CHECK(TagOr(tags, "tracestate") == "a=b");
    door.Restore(tags);
    CHECK(TagOr(tags, "traceparent") == kSampled);
    door.Answered(absl::OkStatus());
  }
  REQUIRE(bench.spans.size() == 1);
  CHECK(bench.spans[0].at("traceId") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(bench.spans[0].at("parentSpanId") == "b7ad6b7169203331");
  CHECK(bench.spans[0].at("kind") == 2);
  CHECK_FALSE(bench.spans[0].contains("status"));
}

TEST_CASE("a trace that begins at the door has no state of others, and its caller learns its name") {
  Bench bench;
  Tags tags = {{"traceparent", "00-x"}, {"tracestate", "a=b"}};
  DoorSpan door(&bench.tracer, "");
  door.Carry(tags);
  CHECK_FALSE(tags.contains("tracestate"));
  const std::string carried(TagOr(tags, "traceparent"));
  CHECK(contract::ParseTraceparent(carried));
  door.Restore(tags);
  CHECK(TagOr(tags, "traceparent") == carried);
}

TEST_CASE("a trace that its caller does not record goes on as it came") {
  Bench bench;
  Tags tags = {{"traceparent", std::string(kNotSampled)}};
  {
    DoorSpan(&bench.tracer, kNotSampled).Carry(tags);
  }
  CHECK(TagOr(tags, "traceparent") == kNotSampled);
  CHECK(bench.spans.empty());
}

TEST_CASE("a door that traces nothing leaves the tags as they are") {
  const Tags sent = {{"traceparent", "anything"}, {"tracestate", "a=b"}};
  Tags tags = sent;
  DoorSpan door(nullptr, "anything");
  door.Carry(tags);
  door.Restore(tags);
  CHECK(tags == sent);
}

TEST_CASE("a server's own failure is an error, a caller's is not, and no answer is a cancel") {
  Bench bench;
  DoorSpan(&bench.tracer, "").Answered(MakeFault(Fault::kProviderFailed, "x"));
  DoorSpan(&bench.tracer, "").Answered(MakeFault(Fault::kInvalidRequest, "x"));
  {
    const DoorSpan gone(&bench.tracer, "");
  }
  REQUIRE(bench.spans.size() == 3);
  const char* const types[] = {"provider_failed", "invalid_request", "cancelled"};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(bench.spans[i].at("attributes").at(0).at("value").at("stringValue") == types[i]);
    CHECK(bench.spans[i].contains("status") == (i == 0));
  }
}

}  // namespace
}  // namespace llm_router
