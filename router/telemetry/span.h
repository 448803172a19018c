// Span: one part of a query's way, as OpenTelemetry knows it, under way.
//
// Begun by a Tracer, or below another span; ended by End or its destructor, and then handed to the tracer's
// sink as one object of OTLP's JSON. Where tracing is off, and in traces that are not sampled, it records
// nothing, costs next to nothing, and only says what goes on to those below it. Its tracer outlives it. Loop
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proto/fault.h"
#include "proto/trace_context.h"

namespace llm_router {

class Tracer;

enum class SpanKind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };  // OTLP's

class Span {
 public:
  Span() = default;  // of no trace
  // Of a trace that is not recorded here.
  Span(const contract::TraceContext& context, bool is_continued)
      : context_(context), is_continued_(is_continued) {}
  // Begins now. `parent`: a span of the same trace; 0: it is the first.
  Span(Tracer& tracer, SpanKind kind, const contract::TraceContext& context, uint64_t parent,
       bool is_continued);
  Span(Span&& other) noexcept;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  // What those below it get as their parent; nothing: there is no trace.
  const std::optional<contract::TraceContext>& context() const { return context_; }
  // Whether the trace came from elsewhere, and so a tracestate that came with it goes along.
  bool is_continued() const { return is_continued_; }
  bool is_recorded() const { return tracer_ != nullptr; }

  // One below it, of the same trace.
  Span Below(SpanKind kind) const;

  // ---- nothing happens in these where it is not recorded ----

  void SetName(std::string name);
  // Keys are ours. Values may be anybody's: at most 256 bytes of them are kept.
  void Add(std::string_view key, std::string_view value);
  void Add(std::string_view key, int64_t value);
  // It failed: an attribute, and the span's status, unless a server's caller is at fault.
  void Fail(Fault fault);
  void End();

 private:
  void Open(SpanKind kind, uint64_t parent);
  void Key(std::string_view key);

  Tracer* tracer_ = nullptr;  // null: nothing is recorded, or it ended
  std::optional<contract::TraceContext> context_;
  bool is_continued_ = false;
  SpanKind kind_ = SpanKind::kInternal;
  int64_t began_ = 0;  // Unix nanoseconds
  bool has_failed_ = false;
  bool is_error_ = false;
  std::string name_;
  std::string json_;  // up to its last attribute
};

}  // namespace llm_router
