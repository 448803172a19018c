#include "router/gateway/http_chat.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_foreign.h"
#include "router/gateway/http_jobs.h"
#include "router/gateway/http_peek.h"
#include "router/gateway/http_query.h"
#include "router/gateway/http_stream_reply.h"

namespace llm_router {
namespace {

struct Asked {
  Asked() = default;

  bool stream = false;
  bool as_job = false;
  std::string route;
  Milliseconds patience{0};
  Milliseconds linger{0};
};

// "respond-async", alone or in a list (RFC 7240).
bool PrefersAsync(const HttpHeaders& headers) {
  return LowerCase(HeaderOr(headers, "prefer")).find("respond-async") != std::string::npos;
}

Awaitable<absl::StatusOr<Asked>> Read(GatewayCall& call) {
  CO_ASSIGN_OR_RETURN(PeekedBody body, PeekBody(call.request.body));
  Asked asked;
  asked.stream = body.stream;
  call.model = body.model;
  asked.as_job = PrefersAsync(call.request.headers);
  if (asked.stream && asked.as_job)
    co_return MakeFault(
        Fault::kInvalidRequest,
        "a job's reply is not streamed: leave out \"stream\": true, or Prefer: respond-async");
  CO_ASSIGN_OR_RETURN(asked.patience, PatienceOf(call.request.headers));
  CO_ASSIGN_OR_RETURN(asked.linger, LingerOf(call.request.headers, Milliseconds(0)));
  CO_ASSIGN_OR_RETURN(asked.route,
                      co_await RouteFor(call.state, call.caller, std::move(body.model), call.request.remote));
  co_return asked;
}

void BeginSpan(GatewayCall& call) {
  call.span = DoorSpan(call.state.options.tracer, HeaderOr(call.request.headers, "traceparent"));
  Span& span = call.span.span();
  if (!span.is_recorded()) return;
  span.SetName(fmt::format("{} {}", call.endpoint->method, call.endpoint->path));
  span.Add("http.request.method", call.endpoint->method);
  span.Add("http.route", call.endpoint->path);
  span.Add("llm_router.tenant", call.caller->tenant);
}

Awaitable<void> AskWhole(GatewayCall& call, Query query) {
  const std::string id = query.message.id;
  const TimePoint deadline = query.deadline;
  auto reply = co_await call.state.broker.Request(std::move(query));
  DoorStats& stats = call.state.stats;
  if (co_await Cancelled()) {
    TellGone(call.state.broker, id, call.caller->tenant, deadline);
    const bool is_there = co_await call.responder.HasLastWord();
    ++(is_there ? stats.failed : stats.cancelled);
    if (is_there) co_await SendFailure(call, DoorCloses());
    co_return;
  }
  ++(reply.ok() && reply->executed ? stats.executed : stats.failed);
  if (reply.ok() && reply->executed) DressText(call.dialect, call.model, *reply);
  co_await SendReply(call, std::move(reply));
}

}  // namespace

Awaitable<void> AskModel(GatewayCall& call) {
  BeginSpan(call);
  auto asked = co_await Read(call);
  if (!asked.ok()) co_return co_await SendFailure(call, asked.status());
  call.span.span().Add("llm_router.route", asked->route);
  Tags tags = TagsOf(call.request.headers, call.endpoint->dialect, *call.caller, call.request_id);
  call.span.Carry(tags);
  if (asked->as_job) {
    // A job waits as long as it must, unless it is told otherwise.
    if (!HeaderOr(call.request.headers, "x-llm-router-timeout-ms").empty())
      tags[std::string(contract::tag::kDeadline)] = std::to_string(ToUnixMillis(Now() + asked->patience));
    co_return co_await SubmitAsJob(call, std::move(asked->route), std::move(tags));
  }
  ++call.state.stats.requests;
  Query query =
      QueryFor(asked->route, std::move(call.request.body), std::move(tags), Now() + asked->patience);
  if (asked->stream) co_return co_await AskStream(call, std::move(query), asked->linger);
  co_await AskWhole(call, std::move(query));
}

}  // namespace llm_router
