#include "router/telemetry/span.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/clock.h"
#include "router/telemetry/json_line.h"
#include "router/telemetry/tracer.h"

namespace llm_router {
namespace {

constexpr std::string_view kError = R"(,"status":{"code":2})";

}  // namespace

Span::Span(Tracer& tracer, SpanKind kind, const contract::TraceContext& context, uint64_t parent,
           bool is_continued)
    : tracer_(&tracer), context_(context), is_continued_(is_continued), kind_(kind), began_(UnixNanos()) {
  Open(kind, parent);
}

// What an object of JSON has comes in any order: so it is written once, as it becomes known.
void Span::Open(SpanKind kind, uint64_t parent) {
  json_ = tracer_->Lend();
  json_.append(R"({"traceId":")");
  contract::AppendTraceId(*context_, json_);
  json_.append(R"(","spanId":")");
  contract::AppendSpanId(context_->span, json_);
  if (parent != 0) {
    json_.append(R"(","parentSpanId":")");
    contract::AppendSpanId(parent, json_);
  }
  const fmt::format_int number(static_cast<int>(kind));
  const fmt::format_int began(began_);
  json_.append(R"(","kind":)").append(number.data(), number.size());
  json_.append(R"(,"startTimeUnixNano":")").append(began.data(), began.size());
  json_.append(R"(","attributes":[)");
}

Span::Span(Span&& other) noexcept { *this = std::move(other); }

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  tracer_ = std::exchange(other.tracer_, nullptr);
  context_ = other.context_;
  is_continued_ = other.is_continued_;
  kind_ = other.kind_;
  began_ = other.began_;
  has_failed_ = other.has_failed_;
  is_error_ = other.is_error_;
  name_ = std::move(other.name_);
  json_ = std::move(other.json_);
  return *this;
}

Span Span::Below(SpanKind kind) const {
  if (tracer_ != nullptr) return tracer_->BeginBelow(*this, kind);
  return context_ ? Span(*context_, is_continued_) : Span();
}

void Span::SetName(std::string name) {
  if (tracer_ != nullptr) name_ = std::move(name);
}

void Span::Key(std::string_view key) {
  if (json_.back() == '}') json_ += ',';
  json_.append(R"({"key":")").append(key).append(R"(","value":{)");
}

void Span::Add(std::string_view key, std::string_view value) {
  if (tracer_ == nullptr) return;
  Key(key);
  json_ += R"("stringValue":)";
  AppendJsonText(value, json_);
  json_ += "}}";
}

void Span::Add(std::string_view key, int64_t value) {
  if (tracer_ == nullptr) return;
  Key(key);
  const fmt::format_int digits(value);
  json_.append(R"("intValue":")").append(digits.data(), digits.size()).append(R"("}})");
}

void Span::Fail(Fault fault) {
  if (std::exchange(has_failed_, true)) return;
  is_error_ = kind_ != SpanKind::kServer || RowOf(fault).http >= 500;
  Add("error.type", RowOf(fault).name);
}

// Clocks of a machine may be set back: it never ends before it began.
void Span::End() {
  Tracer* const tracer = std::exchange(tracer_, nullptr);
  if (tracer == nullptr) return;
  const fmt::format_int ended(std::max(UnixNanos(), began_));
  json_.append(R"(],"name":)");
  AppendJsonText(name_, json_);
  json_.append(R"(,"endTimeUnixNano":")").append(ended.data(), ended.size()).append("\"");
  if (is_error_) json_ += kError;
  json_ += '}';
  tracer->Take(std::move(json_));
}

}  // namespace llm_router
