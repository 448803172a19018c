#include "router/telemetry/tracer.h"

namespace llm_router {
namespace {

constexpr size_t kUsual = 1'500;    // bytes of a span
constexpr size_t kMostSpare = 256;  // texts

std::mt19937_64 SeededEngine() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

Tracer::Tracer(int sample_percent, Sink sink)
    : sample_percent_(sample_percent), sink_(std::move(sink)), random_(SeededEngine()) {}

Span Tracer::Begin(SpanKind kind, std::string_view traceparent) {
  contract::TraceContext context;
  const auto parent = contract::ParseTraceparent(traceparent);
  if (parent && !parent->sampled) return {*parent, true};
  if (parent) {
    context = *parent;
  } else {
    context.trace_high = NewNumber();
    context.trace_low = NewNumber();
    context.sampled = static_cast<int>(random_() % 100) < sample_percent_;
  }
  context.span = NewNumber();
  if (!context.sampled) return {context, false};
  return {*this, kind, context, parent ? parent->span : 0, parent.has_value()};
}

Span Tracer::BeginBelow(const Span& parent, SpanKind kind) {
  contract::TraceContext context = *parent.context();
  context.span = NewNumber();
  return {*this, kind, context, parent.context()->span, parent.is_continued()};
}

// Texts of that size, of which each query takes three and which live as long as it does, would scatter the
// heap.
std::string Tracer::Lend() {
  std::string text;
  if (spare_.empty()) {
    text.reserve(kUsual);
  } else {
    text = std::move(spare_.back());
    spare_.pop_back();
  }
  return text;
}

void Tracer::Take(std::string span) {
  sink_(span);
  if (spare_.size() >= kMostSpare) return;
  span.clear();
  spare_.push_back(std::move(span));
}

// Ids are never 0.
uint64_t Tracer::NewNumber() {
  uint64_t number = 0;
  while (number == 0) number = random_();
  return number;
}

Span BeginSpan(Tracer* tracer, SpanKind kind, std::string_view traceparent) {
  if (tracer != nullptr) return tracer->Begin(kind, traceparent);
  if (traceparent.empty()) return {};
  const auto context = contract::ParseTraceparent(traceparent);
  return context ? Span(*context, true) : Span();
}

}  // namespace llm_router
