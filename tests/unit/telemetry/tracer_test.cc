// Spans as a sink gets them.
#include "router/telemetry/tracer.h"

#include <vector>

#include "broker_adapters/base/clock.h"
#include "proto/json_fields.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using contract::Json;

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kNotSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

struct Bench {
  explicit Bench(int sample_percent = 100)
      : tracer(sample_percent, [this](std::string_view span) { spans.push_back(Json::parse(span)); }) {}

  std::vector<Json> spans;
  Tracer tracer;
};

TEST_CASE("a span is an object of OTLP's JSON") {
  Bench bench;
  const int64_t before = UnixNanos();
  Span span = bench.tracer.Begin(SpanKind::kClient, kSampled);
  span.SetName("chat \"gpt\"");
  span.Add("gen_ai.request.model", "gpt");
  span.Add("gen_ai.usage.input_tokens", int64_t{7});
  span.Fail(Fault::kProviderBusy);
  span.Fail(Fault::kCancelled);  // too late
  span.End();
  span.End();
  REQUIRE(bench.spans.size() == 1);
  const Json& told = bench.spans[0];
  CHECK(told.at("traceId") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(told.at("spanId") == contract::SpanIdOf(span.context()->span));
  CHECK(told.at("parentSpanId") == "b7ad6b7169203331");
  CHECK(told.at("name") == "chat \"gpt\"");
  CHECK(told.at("kind") == 3);
  const int64_t began = std::stoll(told.at("startTimeUnixNano").get<std::string>());
  const int64_t ended = std::stoll(told.at("endTimeUnixNano").get<std::string>());
  CHECK(before <= began);
  CHECK(began <= ended);
  CHECK(told.at("attributes") == Json::parse(R"([
    {"key": "gen_ai.request.model", "value": {"stringValue": "gpt"}},
    {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}},
    {"key": "error.type", "value": {"stringValue": "provider_busy"}}])"));
  CHECK(told.at("status") == Json::parse(R"({"code": 2})"));
}

TEST_CASE("whatever an attribute is, the span is JSON, and of bounded size") {
  Bench bench;
  Span span = bench.tracer.Begin(SpanKind::kServer, "");
  span.SetName(std::string(100'000, '"'));
  span.Add("llm_router.route", std::string(100'000, '\xff'));
  span.End();
  REQUIRE(bench.spans.size() == 1);
  CHECK(bench.spans[0].dump().size() < 4'000);
  CHECK_FALSE(bench.spans[0].contains("parentSpanId"));
  CHECK_FALSE(bench.spans[0].contains("status"));
}

TEST_CASE("a span below another has its trace, and it as its parent") {
  Bench bench;
  Span above = bench.tracer.Begin(SpanKind::kServer, "");
  Span below = above.Below(SpanKind::kClient);
  CHECK_FALSE(below.is_continued());
  below.End();
  above.End();
  REQUIRE(bench.spans.size() == 2);
  CHECK(bench.spans[0].at("traceId") == bench.spans[1].at("traceId"));
  CHECK(bench.spans[0].at("parentSpanId") == bench.spans[1].at("spanId"));
  CHECK(bench.spans[0].at("spanId") != bench.spans[1].at("spanId"));
}

TEST_CASE("what is no traceparent begins a trace of its own") {
  Bench bench;
  const auto text = GENERATE(as<std::string_view>{}, "", "00-1-2-01", "\xff");
  const Span span = bench.tracer.Begin(SpanKind::kServer, text);
  REQUIRE(span.context());
  CHECK(span.context()->sampled);
  CHECK_FALSE(span.is_continued());
}

TEST_CASE("the caller says whether its trace is recorded, whatever the share") {
  const auto percent = GENERATE(0, 100);
  Bench bench(percent);
  bench.tracer.Begin(SpanKind::kServer, kSampled).End();
  CHECK(bench.spans.size() == 1);
  Span span = bench.tracer.Begin(SpanKind::kServer, kNotSampled);
  CHECK_FALSE(span.is_recorded());
  CHECK(contract::ToTraceparent(*span.context()) == kNotSampled);
  CHECK(contract::ToTraceparent(*span.Below(SpanKind::kClient).context()) == kNotSampled);
  span.End();
  CHECK(bench.spans.size() == 1);
}

TEST_CASE("of the traces that begin here a share is recorded, and those below are told which") {
  Bench bench(25);
  int sampled = 0;
  for (int i = 0; i < 4'000; ++i) sampled += bench.tracer.Begin(SpanKind::kServer, "").context()->sampled;
  CHECK(sampled > 700);
  CHECK(sampled < 1'300);
  CHECK(static_cast<int>(bench.spans.size()) == sampled);
  Bench none(0);
  const Span span = none.tracer.Begin(SpanKind::kServer, "");
  CHECK(contract::ToTraceparent(*span.context()).ends_with("-00"));
}

TEST_CASE("without a tracer a trace that came goes on, and nothing is recorded") {
  const Span span = BeginSpan(nullptr, SpanKind::kServer, kSampled);
  CHECK_FALSE(span.is_recorded());
  CHECK(span.is_continued());
  CHECK(contract::ToTraceparent(*span.Below(SpanKind::kClient).context()) == kSampled);
  CHECK_FALSE(BeginSpan(nullptr, SpanKind::kServer, "").context());
  CHECK_FALSE(BeginSpan(nullptr, SpanKind::kServer, "00-1-2-01").context());
  CHECK_FALSE(Span().Below(SpanKind::kClient).context());
}

TEST_CASE("a span that moves is told once, when its last holder lets it go") {
  Bench bench;
  {
    Span holder;
    {
      Span span = bench.tracer.Begin(SpanKind::kServer, "");
      holder = std::move(span);
    }
    CHECK(bench.spans.empty());
  }
  CHECK(bench.spans.size() == 1);
}

}  // namespace
}  // namespace llm_router
