#include "router/pipeline/query_log.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "broker_adapters/base/log_json.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/telemetry/json_line.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

void AddText(std::string_view name, std::string_view value, JsonLine& line) {
  if (!value.empty()) line.Add(name, value);
}

void AddTarget(const Exchange& exchange, JsonLine& line) {
  if (exchange.target == nullptr) return;
  if (exchange.target->provider != nullptr) line.Add("provider", exchange.target->provider->id());
  line.Add("model", exchange.target->model);
}

void AddUsage(const ChatUsage& usage, JsonLine& line) {
  line.Add("input_tokens", usage.input_tokens);
  line.Add("output_tokens", usage.output_tokens);
  if (usage.cache_read_tokens) line.Add("cache_read_tokens", *usage.cache_read_tokens);
  if (usage.cache_write_tokens) line.Add("cache_write_tokens", *usage.cache_write_tokens);
  if (usage.reasoning_tokens) line.Add("reasoning_tokens", *usage.reasoning_tokens);
}

}  // namespace

std::string QueryLine(const Exchange& exchange, const absl::Status& failure, double seconds,
                      int64_t queue_ms) {
  const Tags& tags = exchange.query.message.tags;
  JsonLine line;
  line.AddTime("time", UnixMillis());
  line.Add("level", "info");
  line.Add("event", TagOr(tags, tag::kJob).empty() ? "query" : "job");
  line.Add("query", TagOr(tags, tag::kQuery));
  AddText("request_id", TagOr(tags, tag::kRequestId), line);
  if (exchange.span.context()) line.Add("trace_id", contract::TraceIdOf(*exchange.span.context()));
  line.Add("route", exchange.route.name);
  AddTarget(exchange, line);
  line.Add("tenant", TagOr(tags, tag::kTenant, contract::kDefaultTenant));
  if (exchange.dialect != nullptr) line.Add("dialect", exchange.dialect->name());
  line.Add("outcome", failure.ok() ? "ok" : RowOf(FaultOf(failure)).name);
  if (!failure.ok()) line.Add("error", MessageOf(failure));
  line.Add("attempts", int64_t{exchange.attempts});
  line.Add("queue_ms", queue_ms);
  line.AddMillis("ms", seconds);
  if (exchange.first_output) {
    line.AddMillis("first_token_ms",
                   std::chrono::duration<double>(*exchange.first_output - exchange.started).count());
  }
  if (exchange.sink != nullptr) line.Add("chunks", exchange.sink->chunks());
  if (exchange.usage) AddUsage(*exchange.usage, line);
  return std::move(line).Take();
}

void LogQuery(const Exchange& exchange, const absl::Status& failure, double seconds, int64_t queue_ms) {
  if (!log::Enabled(log::Level::kInfo)) return;
  log::WriteJson(log::Level::kInfo, QueryLine(exchange, failure, seconds, queue_ms));
}

}  // namespace llm_router
