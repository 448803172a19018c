#include "router/pipeline/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/pipeline/query_log.h"
#include "router/pipeline/query_span.h"
#include "router/pipeline/series.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// Counts a query in flight for as long as it lives, also when its coroutine is destroyed.
class InFlight {
 public:
  explicit InFlight(const Exchange& exchange) : gauge_(GaugeOf(exchange)) {
    if (gauge_ != nullptr) gauge_->Increment();
  }
  ~InFlight() {
    if (gauge_ != nullptr) gauge_->Decrement();
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  static prometheus::Gauge* GaugeOf(const Exchange& exchange) {
    if (exchange.route.series == nullptr) return nullptr;
    return &exchange.route.series->InFlight(
        TagOr(exchange.query.message.tags, tag::kTenant, contract::kDefaultTenant));
  }

  prometheus::Gauge* const gauge_;
};

// From the door's stamp to the worker's hand. Clocks of two machines may differ: never below 0.
int64_t QueueMillis(const Exchange& exchange) {
  if (exchange.query.message.timestamp == 0) return 0;
  const int64_t since_sent = (UnixNanos() - exchange.query.message.timestamp) / 1'000'000;
  const auto here = std::chrono::duration_cast<Milliseconds>(Now() - exchange.started).count();
  return std::max<int64_t>(0, since_sent - here);
}

// What is to be said of it once it ended, and `failure` says how.
void Account(const Exchange& exchange, const absl::Status& failure, int64_t queue_ms) {
  const double seconds = SecondsSince(exchange.started);
  LogQuery(exchange, failure, seconds, queue_ms);
  QuerySeries* series = SeriesOf(exchange);
  if (series == nullptr) return;
  series->Ended(failure.ok() ? std::nullopt : std::optional<Fault>(FaultOf(failure)), seconds);
  if (exchange.usage) series->Used(*exchange.usage);
  if (exchange.first_output)
    series->FirstToken(std::chrono::duration<double>(*exchange.first_output - exchange.started).count());
}

void AddTags(const Exchange& exchange, int64_t queue_ms, Tags& tags) {
  for (const auto key : {tag::kQuery, tag::kRequestId, tag::kIdempotencyKey, tag::kTraceparent}) {
    if (const auto value = TagOr(exchange.query.message.tags, key); !value.empty())
      tags[std::string(key)] = value;
  }
  tags[std::string(tag::kAttempts)] = std::to_string(exchange.attempts);
  tags[std::string(tag::kQueueMs)] = std::to_string(queue_ms);
  if (exchange.sink != nullptr) tags[std::string(tag::kChunks)] = std::to_string(exchange.sink->chunks());
  if (!exchange.warnings.empty())
    tags[std::string(tag::kWarnings)] = fmt::format("{}", fmt::join(exchange.warnings, "; "));
  if (exchange.usage) {
    tags[std::string(tag::kInputTokens)] = std::to_string(exchange.usage->input_tokens);
    tags[std::string(tag::kOutputTokens)] = std::to_string(exchange.usage->output_tokens);
  }
}

// A failure is a reply too: executed=false, one sentence, and a body in the shape the caller's dialect knows.
Reply FailedReply(const Exchange& exchange, const absl::Status& failure) {
  Reply reply;
  reply.error = MessageOf(failure);
  reply.message.body = contract::ErrorBody(TagOr(exchange.query.message.tags, tag::kDialect), failure);
  reply.message.tags[std::string(tag::kContentType)] = contract::kJson;
  return reply;
}

class AccountStage final : public Stage {
 public:
  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override {
    const InFlight in_flight(exchange);
    exchange.span = BeginQuerySpan(exchange);
    absl::StatusOr<Reply> result = co_await next();
    const int64_t queue_ms = QueueMillis(exchange);
    Account(exchange, result.status(), queue_ms);
    EndQuerySpan(exchange, result, queue_ms);
    if (!result.ok()) {
      exchange.failure = result.status();
      result = FailedReply(exchange, exchange.failure);
    }
    AddTags(exchange, queue_ms, result->message.tags);
    co_return std::move(result);
  }
};

}  // namespace

std::unique_ptr<Stage> MakeAccountStage() { return std::make_unique<AccountStage>(); }

void AccountUnrun(const Route& route, Query query, const absl::Status& why) {
  Exchange exchange(route, std::move(query));
  exchange.span = BeginQuerySpan(exchange);
  const int64_t queue_ms = QueueMillis(exchange);
  Account(exchange, why, queue_ms);
  EndQuerySpan(exchange, why, queue_ms);
}

}  // namespace llm_router
