#include "client/batch_convert.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "client/convert.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/json_fields.h"

namespace llm_router::client {
namespace {

namespace tag = contract::tag;
using contract::Json;

// BatchState is the contract's under a name that users may see.
static_assert(static_cast<int>(BatchState::kValidating) ==
              static_cast<int>(contract::BatchState::kValidating));
static_assert(static_cast<int>(BatchState::kCancelled) == static_cast<int>(contract::BatchState::kCancelled));
static_assert(kMostLinesOfABatch == contract::kMostBatchLines);
static_assert(kMostBytesOfABatch == contract::kMostBatchBytes);

bool SaysHowToAsk(const BatchOptions& batch) {
  return !batch.model.empty() || !batch.system.empty() || batch.temperature || batch.max_tokens;
}

absl::StatusOr<Tags> TagsOf(const BatchOptions& batch) {
  Tags tags;
  if (!batch.model.empty()) tags[std::string(tag::kModel)] = batch.model;
  if (!batch.system.empty()) tags[std::string(tag::kSystem)] = batch.system;
  if (batch.temperature) tags[std::string(tag::kTemperature)] = fmt::format("{}", *batch.temperature);
  if (batch.max_tokens) tags[std::string(tag::kMaxTokens)] = fmt::format("{}", *batch.max_tokens);
  RETURN_IF_ERROR(contract::ParseQueryTags(tags).status());
  return tags;
}

absl::Status CheckRoute(const BatchOptions& batch, const std::string& route) {
  if (batch.text && route.empty()) {
    return MakeFault(Fault::kInvalidRequest,
                     "no route: prompts need the name of one, as in openai; `llm-router routes` lists them");
  }
  return route.empty() ? absl::OkStatus() : contract::CheckRouteName(route);
}

// An object, or null where there is none.
Json ObjectIn(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json();
}

// What a provider said of a line it failed, in words that need not be ours: then its status says which fault.
absl::Status WhyRefused(int64_t status, const std::string& body) {
  absl::Status said = contract::ParseError("the provider failed the line", body);
  if (FaultOf(said) != Fault::kInternal) return said;
  Fault fault = status >= 500 ? Fault::kProviderFailed : Fault::kProviderRejected;
  if (status == 429 || status == 503) fault = Fault::kProviderBusy;
  return MakeFault(fault, MessageOf(said));
}

absl::StatusOr<Answer> AnswerIn(const Json& response) {
  const auto found = response.find("body");
  const Json body = found == response.end() ? Json() : *found;
  const int64_t status = contract::IntOr(response, "status_code", 200);
  if (status >= 400) return WhyRefused(status, contract::Dump(body));
  Reply reply;
  reply.executed = true;
  if (body.is_string()) {  // of a worker written by others: bare text
    reply.message.body = body.get<std::string>();
    return ToAnswer(contract::dialect::kText, std::move(reply));
  }
  reply.message.body = contract::Dump(body);
  reply.message.tags[std::string(tag::kContentType)] = std::string(contract::kJson);
  const std::string_view dialect = DialectOfReply(reply.message.body);
  ASSIGN_OR_RETURN(Answer answer, ToAnswer(dialect, std::move(reply)));
  if (answer.model.empty()) answer.model = contract::StringOr(body, "model");
  const Json usage = ObjectIn(body, "usage");
  if (!answer.input_tokens) answer.input_tokens = contract::OptionalInt(usage, "prompt_tokens");
  if (!answer.output_tokens) answer.output_tokens = contract::OptionalInt(usage, "completion_tokens");
  return answer;
}

// OpenAI's codes for what never ran are none of our faults.
absl::Status WhyNone(const Json& error) {
  const std::string code = contract::StringOr(error, "code");
  if (code == "batch_expired") return MakeFault(Fault::kTimeout, contract::StringOr(error, "message"));
  if (code == "batch_cancelled") return MakeFault(Fault::kCancelled, contract::StringOr(error, "message"));
  return contract::FailureOf(error);
}

absl::StatusOr<Answer> AnswerOfRow(const Json& row) {
  if (const Json error = ObjectIn(row, "error"); error.is_object()) return WhyNone(error);
  const Json response = ObjectIn(row, "response");
  if (response.is_object()) return AnswerIn(response);
  return MakeFault(Fault::kInternal,
                   "what came is no row of results: it has neither a response nor an error");
}

}  // namespace

std::string_view NameOf(BatchState state) {
  return contract::NameOf(static_cast<contract::BatchState>(state));
}
bool IsFinal(BatchState state) { return contract::IsFinal(static_cast<contract::BatchState>(state)); }

absl::StatusOr<contract::BatchOptions> ToContract(const BatchOptions& batch, const Options& options) {
  contract::BatchOptions converted;
  converted.route = batch.route.empty() ? options.route : batch.route;
  RETURN_IF_ERROR(CheckRoute(batch, converted.route));
  if (batch.text) {
    converted.format = contract::BatchFormat::kText;
    ASSIGN_OR_RETURN(converted.tags, TagsOf(batch));
  } else if (SaysHowToAsk(batch)) {
    return MakeFault(
        Fault::kInvalidRequest,
        "model, system, temperature and max_tokens are for prompts: a JSON line says them in its body");
  }
  converted.batch_size = static_cast<int64_t>(batch.batch_size);
  converted.concurrency = static_cast<int64_t>(batch.concurrency);
  converted.completion_window = batch.completion_window.count();
  converted.metadata.insert(batch.metadata.begin(), batch.metadata.end());
  for (const auto& [key, value] : converted.metadata) {
    if (FirstBadUtf8(key) || FirstBadUtf8(value))
      return MakeFault(Fault::kInvalidRequest, "metadata is not UTF-8");
  }
  return converted;
}

std::string PromptLine(int64_t number, const std::string& prompt, const BatchOptions& batch,
                       const std::string& route) {
  Json body = {{"model", batch.model.empty() ? route : route + "/" + batch.model}};
  Json& messages = body["messages"] = Json::array();
  if (!batch.system.empty()) messages.push_back({{"role", "system"}, {"content", batch.system}});
  messages.push_back({{"role", "user"}, {"content", prompt}});
  if (batch.temperature) body["temperature"] = *batch.temperature;
  if (batch.max_tokens) body["max_tokens"] = *batch.max_tokens;
  return contract::Dump({{"custom_id", fmt::format("{}", number)},
                         {"method", "POST"},
                         {"url", "/v1/chat/completions"},
                         {"body", std::move(body)}});
}

BatchStatus ToStatus(const contract::Batch& batch) {
  BatchStatus status;
  status.id = batch.id;
  status.state = static_cast<BatchState>(batch.state);
  status.total = batch.counts.total;
  status.completed = batch.counts.completed;
  status.failed = batch.counts.failed;
  status.running = batch.counts.running;
  status.bad_lines = batch.bad_lines;
  status.text = batch.options.format == contract::BatchFormat::kText;
  status.route = batch.options.route;
  status.batch_size = static_cast<size_t>(batch.options.batch_size);
  status.concurrency = static_cast<size_t>(batch.options.concurrency);
  status.metadata.insert(batch.options.metadata.begin(), batch.options.metadata.end());
  status.created_at = batch.created_at;
  status.in_progress_at = batch.in_progress_at;
  status.expires_at = batch.expires_at;
  status.finalizing_at = batch.finalizing_at;
  status.completed_at = batch.completed_at;
  status.failed_at = batch.failed_at;
  status.expired_at = batch.expired_at;
  status.cancelling_at = batch.cancelling_at;
  status.cancelled_at = batch.cancelled_at;
  return status;
}

BadLine ToBadLine(const contract::BatchError& error) {
  return BadLine{error.line, error.code, error.message, error.param};
}

BatchResult ToResult(std::string row) {
  const Json json = Json::parse(row, nullptr, false);
  auto answer = AnswerOfRow(json);
  Result<Answer> result =
      answer.ok() ? Result<Answer>(*std::move(answer)) : Result<Answer>(ToError(answer.status()));
  return BatchResult{contract::StringOr(json, "custom_id"), std::move(result), std::move(row)};
}

}  // namespace llm_router::client
