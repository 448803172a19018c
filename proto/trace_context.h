// TraceContext: which trace a query belongs to, as W3C Trace Context has it: the headers and tags
// `traceparent` and `tracestate`. Pure functions over values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llm_router::contract {

namespace tag {
inline constexpr std::string_view kTracestate = "tracestate";  // goes with tag::kTraceparent
}  // namespace tag

struct TraceContext {
  uint64_t trace_high = 0;  // of the trace's 128 bits, of which one at least is set
  uint64_t trace_low = 0;
  uint64_t span = 0;  // whose children those are that get this; never 0
  bool sampled = false;

  bool operator==(const TraceContext&) const = default;
};

// 00-<32 hex digits>-<16 hex digits>-<flags>, or what a later version begins with. Nothing for all else.
std::optional<TraceContext> ParseTraceparent(std::string_view text);
std::string ToTraceparent(const TraceContext& context);

// As spans and logs name them, in lower-case hex digits: 32 of a trace, 16 of a span.
void AppendTraceId(const TraceContext& context, std::string& text);
void AppendSpanId(uint64_t span, std::string& text);
std::string TraceIdOf(const TraceContext& context);
std::string SpanIdOf(uint64_t span);

// Whether it may go along: printable ASCII, at most 512 bytes. What is in it is its vendors' own.
bool IsTracestate(std::string_view text);

}  // namespace llm_router::contract
