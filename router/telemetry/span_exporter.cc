#include "router/telemetry/span_exporter.h"

#include <fmt/format.h>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/telemetry/json_line.h"

namespace llm_router {
namespace {

constexpr std::string_view kPath = "/v1/traces";
constexpr std::string_view kEnd = "]}]}]}";
constexpr size_t kMostReply = 64 * 1024;

std::string BeginOf(const SpanExporterOptions& options) {
  std::string begin =
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"llm-router"}},)"
      R"({"key":"service.instance.id","value":{"stringValue":)";
  AppendJsonText(options.instance, begin);
  begin += R"(}}]},"scopeSpans":[{"scope":{"name":"llm-router"},"spans":[)";
  return begin;
}

// What OTLP says may be sent again.
bool MayRetry(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

std::string_view WordsFor(Fault fault) {
  if (fault == Fault::kProviderTimeout) return "it did not answer in time";
  if (fault == Fault::kProviderUnreachable) return "it can't be reached";
  return fault == Fault::kCancelled ? "it did not answer before this process ends"
                                    : "it answered something that is no HTTP";
}

}  // namespace

SpanExporter::SpanExporter(Executor executor, HttpClient& http, SpanExporterOptions options, Count count)
    : http_(http),
      options_(std::move(options)),
      count_(std::move(count)),
      begin_(BeginOf(options_)),
      waker_(executor),
      tasks_(executor),
      limit_(executor) {}

void SpanExporter::Start() { tasks_.Spawn(Run()); }

void SpanExporter::Take(std::string_view span) {
  if (stopping_ || waiting_spans_ >= options_.most_waiting) return Drop();
  if (waiting_.empty() || waiting_.back().spans == options_.batch) {
    waiting_.emplace_back().body.reserve(usual_bytes_);
    waiting_.back().body = begin_;
  }
  Batch& batch = waiting_.back();
  if (batch.spans++ > 0) batch.body += ',';
  batch.body += span;
  ++waiting_spans_;
  if (waiting_spans_ == 1 || waiting_spans_ == options_.batch) waker_.Wake();
}

// Apart from what the collector did, which else would seldom be said: many are dropped for each batch.
void SpanExporter::Drop() {
  count_("dropped", 1);
  if (stopping_) return;
  const auto left_out = drops_.Admit(Now());
  if (!left_out) return;
  log::Warning(
      "tracing: a span dropped, as {} wait to be sent to {}: lower tracing.sample_percent, or check the "
      "collector there ({} more)",
      waiting_spans_, options_.endpoint, *left_out);
}

Awaitable<void> SpanExporter::Stop(Milliseconds limit) {
  stopping_ = true;
  waker_.Wake();
  limit_.Spawn(CancelAt(Now() + limit));
  co_await tasks_.Join();
  limit_.Cancel();
  co_await limit_.Join();
  if (waiting_spans_ > 0) count_("failed", waiting_spans_);
  waiting_.clear();
  waiting_spans_ = 0;
}

Awaitable<void> SpanExporter::CancelAt(TimePoint when) {
  if (co_await Sleep(when)) tasks_.Cancel();
}

Awaitable<void> SpanExporter::Run() {
  while (co_await AwaitBatch()) {
    Batch batch = TakeBatch();
    const size_t spans = batch.spans;
    const bool sent = co_await Send(std::move(batch));
    count_(sent ? "sent" : "failed", spans);
  }
}

// False when there is nothing more to send.
Awaitable<bool> SpanExporter::AwaitBatch() {
  while (waiting_.empty()) {
    if (stopping_ || !co_await waker_.Wait(TimePoint::max())) co_return false;
  }
  const TimePoint due = Now() + options_.every;
  while (waiting_spans_ < options_.batch && Now() < due && !stopping_) {
    if (!co_await waker_.Wait(due)) co_return false;
  }
  co_return !co_await Cancelled();
}

SpanExporter::Batch SpanExporter::TakeBatch() {
  Batch batch = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_spans_ -= batch.spans;
  batch.body += kEnd;
  usual_bytes_ = batch.body.size();
  return batch;
}

Awaitable<bool> SpanExporter::Send(Batch batch) {
  FullJitter backoff(options_.first_backoff, options_.longest_backoff);
  for (int left = options_.tries - 1;; --left) {
    const Sent sent = co_await Post(batch.body);
    if (sent.why.empty()) co_return true;
    Complain(sent.why, batch.spans);
    if (!sent.may_retry || left == 0 || stopping_) co_return false;
    const TimePoint again = Now() + backoff.Next();
    while (Now() < again && !stopping_) {
      if (!co_await waker_.Wait(again)) co_return false;
    }
  }
}

Awaitable<SpanExporter::Sent> SpanExporter::Post(std::string body) {
  HttpCall call;
  call.url = fmt::format("{}{}", options_.endpoint, kPath);
  call.headers.emplace_back("content-type", "application/json");
  for (const auto& [name, value] : options_.headers) call.headers.emplace_back(name, value.Reveal());
  call.body = std::move(body);
  call.deadline = Now() + options_.patience;
  call.max_reply = kMostReply;
  const auto reply = co_await http_.Do(std::move(call));
  Sent sent;
  if (!reply.ok()) {
    sent.why = WordsFor(FaultOf(reply.status()));
    sent.may_retry = FaultOf(reply.status()) != Fault::kCancelled;
  } else if (reply->status < 200 || reply->status > 299) {
    sent.why = fmt::format("it answered {}", reply->status);
    sent.may_retry = MayRetry(reply->status);
  }
  co_return sent;
}

void SpanExporter::Complain(std::string_view why, size_t spans) {
  const auto left_out = complaints_.Admit(Now());
  if (!left_out) return;
  log::Warning(
      "tracing: {} spans not sent to {}: {}: check tracing.endpoint and the collector there ({} more)", spans,
      options_.endpoint, why, *left_out);
}

}  // namespace llm_router
