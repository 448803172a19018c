#include "router/pipeline/query_span.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/trace_context.h"
#include "router/pipeline/series.h"
#include "router/telemetry/tracer.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

bool IsJob(const Tags& tags) { return !TagOr(tags, tag::kJob).empty(); }

// "chat gpt-4o-mini", what both kinds of spans are called.
void Describe(const Exchange& exchange, Span& span) {
  const std::string_view operation = NameOf(OperationOf(exchange));
  const Target* const target = exchange.target;
  span.Add("gen_ai.operation.name", operation);
  if (target == nullptr) return span.SetName(fmt::format("{} {}", operation, exchange.route.name));
  span.SetName(fmt::format("{} {}", operation, target->model));
  if (target->provider != nullptr) span.Add("gen_ai.provider.name", target->provider->id());
  span.Add("gen_ai.request.model", target->model);
}

void AddOutcome(const absl::StatusOr<Reply>& result, Span& span) {
  if (!result.ok()) return span.Fail(FaultOf(result.status()));
  if (const auto model = TagOr(result->message.tags, tag::kModel); !model.empty())
    span.Add("gen_ai.response.model", model);
}

void AddTag(const Tags& tags, std::string_view name, std::string_view key, Span& span) {
  if (const auto value = TagOr(tags, name); !value.empty()) span.Add(key, value);
}

}  // namespace

Span BeginQuerySpan(const Exchange& exchange) {
  const Tags& tags = exchange.query.message.tags;
  Span span = BeginSpan(exchange.route.tracer, IsJob(tags) ? SpanKind::kConsumer : SpanKind::kServer,
                        TagOr(tags, tag::kTraceparent));
  if (span.is_recorded()) span.SetName(exchange.route.name);  // until it is known what it asks for
  return span;
}

void EndQuerySpan(Exchange& exchange, const absl::StatusOr<Reply>& result, int64_t queue_ms) {
  Span& span = exchange.span;
  if (!span.is_recorded()) return;
  const Tags& tags = exchange.query.message.tags;
  Describe(exchange, span);
  span.Add("llm_router.route", exchange.route.name);
  span.Add("llm_router.tenant", TagOr(tags, tag::kTenant, contract::kDefaultTenant));
  AddTag(tags, IsJob(tags) ? tag::kJob : tag::kQuery, IsJob(tags) ? "llm_router.job" : "llm_router.query",
         span);
  AddTag(tags, tag::kRequestId, "llm_router.request_id", span);
  span.Add("llm_router.attempts", int64_t{exchange.attempts});
  span.Add("llm_router.queue_ms", queue_ms);
  if (exchange.usage) {
    span.Add("gen_ai.usage.input_tokens", exchange.usage->input_tokens);
    span.Add("gen_ai.usage.output_tokens", exchange.usage->output_tokens);
  }
  AddOutcome(result, span);
  span.End();
}

Span BeginAttemptSpan(const Exchange& exchange) {
  Span span = exchange.span.Below(SpanKind::kClient);
  if (!span.is_recorded()) return span;
  Describe(exchange, span);
  span.Add("llm_router.attempt", int64_t{exchange.attempts});
  return span;
}

void AddTraceHeaders(const Exchange& exchange, const Span& attempt, HttpHeaders& headers) {
  if (!attempt.context() || !HeaderOr(headers, tag::kTraceparent).empty()) return;
  headers.emplace_back(tag::kTraceparent, contract::ToTraceparent(*attempt.context()));
  const auto state = TagOr(exchange.query.message.tags, tag::kTracestate);
  if (attempt.is_continued() && contract::IsTracestate(state)) headers.emplace_back(tag::kTracestate, state);
}

void EndAttemptSpan(Span& attempt, const absl::StatusOr<Reply>& result) {
  if (!attempt.is_recorded()) return;
  AddOutcome(result, attempt);
  attempt.End();
}

}  // namespace llm_router
