#include "router/gateway/plain_model.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body",
                         "It must be a JSON object with model_type and input_data."};
constexpr std::string_view kClientId = "model";  // the wire wants one
constexpr int kDefaultTimeout = 120;             // seconds
constexpr int kMaxTimeout = 24 * 3600;

absl::Status Wrong(std::string_view key, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} takes {}", key, takes));
}

// Numbers go to tags as they were written; their bounds are the contract's.
absl::Status ReadNumberTag(const Json& value, std::string_view key, std::string_view name,
                           kubemq::Request& request) {
  if (!value.is_number()) return Wrong(key, "a number");
  (*request.mutable_tags())[std::string(name)] = value.dump();
  return absl::OkStatus();
}

absl::Status ReadTimeout(const Json& value, kubemq::Request& request) {
  const double seconds = value.is_number() ? value.get<double>() : 0;
  if (!(seconds > 0 && seconds <= kMaxTimeout))
    return Wrong("timeout", fmt::format("seconds, above 0 and at most {}", kMaxTimeout));
  request.set_timeout(static_cast<int32_t>(std::ceil(seconds * 1000)));
  return absl::OkStatus();
}

absl::Status ReadKey(const std::string& key, const Json& value, kubemq::Request& request) {
  if (key == "max_tokens") return ReadNumberTag(value, key, tag::kMaxTokens, request);
  if (key == "temperature") return ReadNumberTag(value, key, tag::kTemperature, request);
  if (key == "timeout") return ReadTimeout(value, request);
  const bool known = key == "model_type" || key == "model_name" || key == "input_data";
  if (!known) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("\"{}\" is no key here: there are model_type, model_name, input_data, "
                                 "max_tokens, temperature and timeout",
                                 Excerpt(key)));
  }
  if (!value.is_string()) return Wrong(key, "text");
  const std::string& text = value.get_ref<const std::string&>();
  if (key == "model_type") {
    request.set_channel(contract::RequestsChannel(text));
    return contract::CheckRouteName(text);
  }
  if (key == "model_name") (*request.mutable_tags())[std::string(tag::kModel)] = text;
  if (key == "input_data") request.set_body(text);
  return absl::OkStatus();
}

absl::StatusOr<kubemq::Request> RequestOf(std::string_view text) {
  ASSIGN_OR_RETURN(const Json body, ParseBody(text, kBody));
  kubemq::Request request;
  request.set_requesttypedata(kubemq::Request::Query);
  request.set_clientid(std::string(kClientId));
  request.set_timeout(kDefaultTimeout * 1000);
  for (const auto& [key, value] : body.items()) {
    if (!value.is_null()) RETURN_IF_ERROR(ReadKey(key, value, request));
  }
  if (request.channel().empty()) return Wrong("model_type", "the name of a route, and is missing");
  if (request.body().empty()) return Wrong("input_data", "the prompt, and is missing or empty");
  (*request.mutable_tags())[std::string(tag::kAccept)] = std::string(contract::kPlainText);
  (*request.mutable_tags())[std::string(tag::kFailFast)] = "yes";
  const auto refusal = kubemq_check::Request(request);
  if (!refusal.empty()) return MakeFault(Fault::kInvalidRequest, refusal);
  return request;
}

HttpResponse Failure(const absl::Status& why) {
  HttpResponse response(RowOf(FaultOf(why)).http, {{"content-type", "application/json"}},
                        contract::ErrorBody(contract::dialect::kText, why));
  if (const auto wait = RetryAfterOf(why)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    response.headers.emplace_back("retry-after", std::to_string(seconds));
  }
  return response;
}

// What the KubeMQ wire says of a request's end, as a fault.
absl::Status FaultOfWire(const absl::Status& why) {
  if (absl::IsUnavailable(why))
    return MakeFault(Fault::kShuttingDown, "the server is shutting down: ask again");
  if (FaultOf(why) == Fault::kCancelled) return why;
  return MakeFault(Fault::kTimeout, "no answer came in time: try again, or raise timeout");
}

absl::StatusOr<std::string> TextOf(absl::StatusOr<kubemq::Response> response) {
  if (!response.ok()) return FaultOfWire(response.status());
  const Reply reply = FromWire(*response);
  if (const auto failure = FailureIn(reply)) return *failure;
  if (!reply.executed) return contract::ParseError(reply.error, reply.message.body);
  const auto type = TagOr(reply.message.tags, tag::kContentType);
  ASSIGN_OR_RETURN(contract::TextReply text, contract::ParseTextReply(type, reply.message.body));
  return std::move(text.response);
}

Awaitable<absl::StatusOr<std::string>> Ask(RestCall call) {
  CO_ASSIGN_OR_RETURN(const kubemq::Request request, RequestOf(call.request.body));
  CO_RETURN_IF_ERROR(CheckNoted(call, request));
  co_return TextOf(co_await AskOfServer(call.state, Question(request, call.caller)));
}

}  // namespace

Awaitable<void> AnswerPlainModel(RestCall call) {
  auto text = co_await Ask(call);
  if (!text.ok()) {
    (void)co_await call.responder.Send(Failure(text.status()));
    co_return;
  }
  HttpResponse response(200, {{"content-type", "text/plain; charset=utf-8"}}, *std::move(text));
  (void)co_await call.responder.Send(std::move(response));
}

}  // namespace llm_router
