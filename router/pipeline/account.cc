#include "router/pipeline/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

double SecondsSince(TimePoint start) { return std::chrono::duration<double>(Now() - start).count(); }

// Counts a query in flight for as long as it lives, also when its coroutine is destroyed.
class InFlight {
 public:
  InFlight(Metrics& metrics, const std::string& route) : metrics_(metrics), route_(route) {
    metrics_.InFlight(route_, 1);
  }
  ~InFlight() { metrics_.InFlight(route_, -1); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Metrics& metrics_;
  const std::string& route_;
};

// From the door's stamp to the worker's hand. Clocks of two machines may differ: never below 0.
int64_t QueueMillis(const Exchange& exchange) {
  if (exchange.query.message.timestamp == 0) return 0;
  const int64_t since_sent = (UnixNanos() - exchange.query.message.timestamp) / 1'000'000;
  const auto here = std::chrono::duration_cast<Milliseconds>(Now() - exchange.started).count();
  return std::max<int64_t>(0, since_sent - here);
}

void AddTags(const Exchange& exchange, Tags& tags) {
  for (const auto key : {tag::kQuery, tag::kRequestId, tag::kIdempotencyKey, tag::kTraceparent}) {
    if (const auto value = TagOr(exchange.query.message.tags, key); !value.empty())
      tags[std::string(key)] = value;
  }
  tags[std::string(tag::kAttempts)] = std::to_string(exchange.attempts);
  tags[std::string(tag::kQueueMs)] = std::to_string(QueueMillis(exchange));
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
  explicit AccountStage(Metrics& metrics) : metrics_(metrics) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override {
    const InFlight in_flight(metrics_, exchange.route.name);
    absl::StatusOr<Reply> result = co_await next();
    const std::string_view outcome = result.ok() ? "ok" : RowOf(FaultOf(result.status())).name;
    metrics_.Query(exchange.route.name, outcome, SecondsSince(exchange.started));
    if (exchange.usage) {
      metrics_.Tokens(exchange.route.name, exchange.usage->input_tokens, exchange.usage->output_tokens);
    }
    if (!result.ok()) {
      log::Info("query {} on {} failed ({}): {}", TagOr(exchange.query.message.tags, tag::kQuery),
                exchange.route.name, outcome, MessageOf(result.status()));
      exchange.failure = result.status();
      result = FailedReply(exchange, exchange.failure);
    }
    AddTags(exchange, result->message.tags);
    co_return std::move(result);
  }

 private:
  Metrics& metrics_;
};

}  // namespace

std::unique_ptr<Stage> MakeAccountStage(Metrics& metrics) { return std::make_unique<AccountStage>(metrics); }

}  // namespace llm_router
