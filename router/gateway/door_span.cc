#include "router/gateway/door_span.h"

#include "proto/contract.h"
#include "proto/fault.h"
#include "router/telemetry/tracer.h"

namespace llm_router {

namespace tag = contract::tag;

DoorSpan::DoorSpan(Tracer* tracer, std::string_view traceparent) : traces_(tracer != nullptr) {
  if (!traces_) return;
  callers_ = traceparent;
  span_ = tracer->Begin(SpanKind::kServer, traceparent);
}

DoorSpan::~DoorSpan() {
  if (!is_answered_) span_.Fail(Fault::kCancelled);
}

// Also of a trace that is not recorded: a worker keeps to that. What came with no trace says nothing of one.
void DoorSpan::Carry(Tags& tags) const {
  if (!traces_) return;
  tags[std::string(tag::kTraceparent)] = contract::ToTraceparent(*span_.context());
  if (!span_.is_continued()) tags.erase(std::string(tag::kTracestate));
}

void DoorSpan::Restore(Tags& tags) const {
  if (callers_.empty()) return;
  const auto told = tags.find(tag::kTraceparent);
  if (told != tags.end()) told->second = callers_;
}

void DoorSpan::Answered(const absl::Status& why) {
  is_answered_ = true;
  if (!why.ok()) span_.Fail(FaultOf(why));
}

}  // namespace llm_router
