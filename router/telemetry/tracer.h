// Tracer: begins the spans of a process (span.h), and decides which traces are recorded: those of callers
// who say whether theirs are as they say, of the others a share.
//
// One per process, owned by the composition root; null where tracing is off. Loop thread.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/telemetry/span.h"

namespace llm_router {

class Tracer {
 public:
  // Gets each span as it ended: an object of OTLP's JSON. Never waits.
  using Sink = std::function<void(std::string_view span)>;

  // `sample_percent`, 0 to 100: how many of the traces that begin here are recorded.
  Tracer(int sample_percent, Sink sink);

  // In the trace that `traceparent` names, else the first of a new one. What is no traceparent counts as
  // none.
  Span Begin(SpanKind kind, std::string_view traceparent);

 private:
  friend class Span;
  Span BeginBelow(const Span& parent, SpanKind kind);
  // Lends the text that a span is written in, and takes it back with the span.
  std::string Lend();
  void Take(std::string span);
  uint64_t NewNumber();

  const int sample_percent_;
  const Sink sink_;
  std::mt19937_64 random_;
  std::vector<std::string> spare_;  // empty, with room
};

// The same where `tracer` may be null: then it only passes on the trace that came.
Span BeginSpan(Tracer* tracer, SpanKind kind, std::string_view traceparent);

}  // namespace llm_router
