// DoorSpan: a query's way through a door, as a span (telemetry/span.h): from its coming to its answer's
// leaving. Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "broker_adapters/base/tags.h"
#include "router/telemetry/span.h"

namespace llm_router {

class DoorSpan {
 public:
  DoorSpan() = default;  // of a door that traces nothing
  // `tracer` may be null. `traceparent`: what came with the query.
  DoorSpan(Tracer* tracer, std::string_view traceparent);
  DoorSpan(DoorSpan&&) = default;
  DoorSpan& operator=(DoorSpan&&) = default;
  // A query without an answer was cancelled.
  ~DoorSpan();

  Span& span() { return span_; }

  // Whoever gets the query with these tags is below this span.
  void Carry(Tags& tags) const;
  // A reply says the traceparent that its caller knows.
  void Restore(Tags& tags) const;
  // It has an answer; `why`: or a failure.
  void Answered(const absl::Status& why);

 private:
  bool traces_ = false;
  bool is_answered_ = false;
  std::string callers_;
  Span span_;
};

}  // namespace llm_router
