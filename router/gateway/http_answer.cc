#include "router/gateway/http_answer.h"

#include <array>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_splice.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr BodyKind kErrorBody{Fault::kInternal, "the error", "It must be a JSON object."};
constexpr size_t kLongestHeader = 2 * 1024;  // bytes; a worker may be anybody's

struct TagHeader {
  std::string_view tag, header;
};
constexpr std::array kTagHeaders = {
    TagHeader{tag::kProvider, "x-llm-router-provider"}, TagHeader{tag::kModel, "x-llm-router-model"},
    TagHeader{tag::kAttempts, "x-llm-router-attempts"}, TagHeader{tag::kQueueMs, "x-llm-router-queue-ms"},
    TagHeader{tag::kWarnings, "x-llm-router-warnings"},
};

bool IsAnthropic(const GatewayCall& call) { return call.dialect.starts_with("anthropic."); }

void AddTagHeaders(const Tags& tags, HttpHeaders& headers) {
  for (const TagHeader& row : kTagHeaders) {
    const auto value = TagOr(tags, row.tag);
    if (!value.empty() && IsHeaderText(value))
      headers.emplace_back(row.header, value.substr(0, kLongestHeader));
  }
}

// What SDKs go by before they ask again.
void AddFailureHeaders(const absl::Status& why, const FaultRow& row, HttpHeaders& headers) {
  if (const auto wait = RetryAfterOf(why)) {
    headers.emplace_back("retry-after",
                         std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    headers.emplace_back("retry-after-ms", std::to_string(wait->count()));
  }
  if (row.http >= 500 && !row.retry) headers.emplace_back("x-should-retry", "false");
  if (row.http == 401) headers.emplace_back("www-authenticate", "Bearer");
}

HttpResponse JsonResponse(const GatewayCall& call, int status, std::string body) {
  HttpResponse response(status, UsualHeaders(call), std::move(body));
  response.headers.emplace_back("content-type", contract::kJson);
  return response;
}

// A failure as the worker put it, when that is what the caller's API knows; else in our words.
std::string BodyOfFailure(const GatewayCall& call, const absl::Status& why, std::string body) {
  if (body.empty() || !CheckBody(body, kErrorBody).ok()) return FailureBody(call, why);
  if (!IsAnthropic(call) || TopLevelValue(body, "request_id")) return body;
  return WithTopLevelValue(body, "request_id", QuoteJson(call.request_id));
}

HttpResponse FailureResponse(const GatewayCall& call, const absl::Status& why) {
  const FaultRow& row = RowOf(FaultOf(why));
  HttpResponse response = JsonResponse(call, row.http, FailureBody(call, why));
  AddFailureHeaders(why, row, response.headers);
  return response;
}

}  // namespace

void TellSpan(GatewayCall& call, const absl::Status& why, int status) {
  call.span.span().Add("http.response.status_code", int64_t{status});
  call.span.Answered(why);
}

HttpHeaders UsualHeaders(const GatewayCall& call) {
  HttpHeaders headers;
  headers.reserve(12);
  headers.emplace_back("x-request-id", call.request_id);
  if (IsAnthropic(call)) {
    headers.emplace_back("request-id", call.request_id);
  } else {
    const auto took = std::chrono::duration_cast<Milliseconds>(Now() - call.began);
    headers.emplace_back("openai-processing-ms", std::to_string(took.count()));
  }
  call.state.cors.AddTo(call.request.headers, headers);
  return headers;
}

std::string FailureBody(const GatewayCall& call, const absl::Status& why) {
  const std::string_view shape =
      IsAnthropic(call) ? contract::dialect::kAnthropicMessages : contract::dialect::kOpenAiChat;
  std::string body = contract::ErrorBody(shape, why);
  return IsAnthropic(call) ? WithTopLevelValue(body, "request_id", QuoteJson(call.request_id)) : body;
}

Awaitable<void> SendJson(GatewayCall& call, int status, std::string body, HttpHeaders more) {
  HttpResponse response = JsonResponse(call, status, std::move(body));
  for (auto& header : more) response.headers.push_back(std::move(header));
  TellSpan(call, absl::OkStatus(), response.status);
  (void)co_await call.responder.Send(std::move(response));
}

Awaitable<void> SendFailure(GatewayCall& call, absl::Status why) {
  HttpResponse response = FailureResponse(call, why);
  TellSpan(call, why, response.status);
  (void)co_await call.responder.Send(std::move(response));
}

Awaitable<void> SendMissing(GatewayCall& call, absl::Status why) {
  HttpResponse response = FailureResponse(call, why);
  if (FaultOf(why) == Fault::kInvalidRequest) response.status = 404;
  TellSpan(call, why, response.status);
  (void)co_await call.responder.Send(std::move(response));
}

absl::Status DoorCloses() {
  return MakeFault(Fault::kShuttingDown, "the server is shutting down: ask again");
}

absl::Status FailureOfReply(const absl::StatusOr<Reply>& reply) {
  if (!reply.ok()) return reply.status();
  return reply->executed ? absl::OkStatus() : contract::ParseError(reply->error, reply->message.body);
}

Awaitable<void> SendReply(GatewayCall& call, absl::StatusOr<Reply> reply) {
  const absl::Status why = FailureOfReply(reply);
  if (!reply.ok()) co_return co_await SendFailure(call, why);
  const FaultRow& row = RowOf(FaultOf(why));
  std::string body = std::move(reply->message.body);
  if (!why.ok()) body = BodyOfFailure(call, why, std::move(body));
  HttpResponse response = JsonResponse(call, why.ok() ? 200 : row.http, std::move(body));
  AddTagHeaders(reply->message.tags, response.headers);
  if (!why.ok()) AddFailureHeaders(why, row, response.headers);
  TellSpan(call, why, response.status);
  (void)co_await call.responder.Send(std::move(response));
}

}  // namespace llm_router
