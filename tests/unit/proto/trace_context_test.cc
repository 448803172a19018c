#include "proto/trace_context.h"

#include "tests/support/catch.h"

namespace llm_router::contract {
namespace {

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST_CASE("a traceparent names its trace, its span and whether it is sampled") {
  const auto context = ParseTraceparent(kSampled);
  REQUIRE(context);
  CHECK(context->trace_high == 0x0af7651916cd43dd);
  CHECK(context->trace_low == 0x8448eb211c80319c);
  CHECK(context->span == 0xb7ad6b7169203331);
  CHECK(context->sampled);
  CHECK(TraceIdOf(*context) == "0af7651916cd43dd8448eb211c80319c");
  CHECK(SpanIdOf(context->span) == "b7ad6b7169203331");
  CHECK(ToTraceparent(*context) == kSampled);
}

TEST_CASE("flags other than sampled are not passed on") {
  const auto traced = ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff");
  REQUIRE(traced);
  CHECK(ToTraceparent(*traced) == kSampled);
  const auto not_sampled = ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe");
  REQUIRE(not_sampled);
  CHECK(ToTraceparent(*not_sampled) == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
}

TEST_CASE("a later version is read as far as it is known, and answered in ours") {
  const auto context =
      ParseTraceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-it-adds");
  REQUIRE(context);
  CHECK(ToTraceparent(*context) == kSampled);
}

TEST_CASE("what is no traceparent names nothing") {
  const auto text = GENERATE(as<std::string_view>{}, "", "00-1-2-01", "-", "x",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
                             "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\n-01",
                             "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
                             "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x");
  INFO(text);
  CHECK_FALSE(ParseTraceparent(text));
}

TEST_CASE("a tracestate is printable and of at most 512 bytes") {
  CHECK(IsTracestate("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"));
  CHECK(IsTracestate(std::string(512, 'x')));
  CHECK_FALSE(IsTracestate(std::string(513, 'x')));
  CHECK_FALSE(IsTracestate(""));
  CHECK_FALSE(IsTracestate("a=b\r\nauthorization: x"));
  CHECK_FALSE(IsTracestate("caf\u00e9=1"));
}

}  // namespace
}  // namespace llm_router::contract
