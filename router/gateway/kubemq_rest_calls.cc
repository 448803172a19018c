#include "router/gateway/kubemq_rest_calls.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_json.h"
#include "router/gateway/rest_reply.h"
#include "router/gateway/stored_door.h"

namespace llm_router {
namespace {

using Answer = OneShot<absl::StatusOr<kubemq::Response>>;

// `answer` is shared: who waits for it may have left.
Awaitable<void> AskInto(KubemqAsker& asker, std::shared_ptr<Answer> answer, Question question) {
  answer->Set(co_await asker.Ask(std::move(question)));
}

// Why the request can't be read, in KubeMQ's own form.
std::optional<std::string> Unreadable(const HttpRequest& request, google::protobuf::Message& message) {
  const auto type = HeaderOr(request.headers, "content-type");
  if (LowerCase(type.substr(0, type.find(';'))) != "application/json")
    return "code=415, message=Unsupported Media Type: send content-type application/json";
  if (const absl::Status read = ReadKubemqJson(request.body, message); !read.ok())
    return fmt::format("code=400, message={}, internal=invalid JSON body", MessageOf(read));
  return std::nullopt;
}

Awaitable<void> SendReply(RestCall call, HttpResponse response) {
  (void)co_await call.responder.Send(std::move(response));
}

}  // namespace

Awaitable<absl::StatusOr<kubemq::Response>> AskOfServer(RestState& state, Question question) {
  TaskGroup& tasks = state.server->tasks();
  if (state.server->refusing()) co_return absl::UnavailableError(rest_reply::kStopping.data());
  const auto answer = std::make_shared<Answer>(state.server->loop().executor());
  const auto task = tasks.Spawn(AskInto(state.asker, answer, std::move(question)));
  auto response = co_await answer->Wait(TimePoint::max());
  if (response) co_return *std::move(response);
  tasks.Cancel(task);
  co_return MakeFault(Fault::kCancelled, "the client went away");
}

Awaitable<std::string> Publish(RestCall call, kubemq::Event event) {
  if (!event.store()) co_return call.state.server->Publish(event, *call.caller, call.state.stats);
  co_return co_await PublishStored(call.state.server, std::move(event), call.caller, call.state.stats);
}

namespace rest_calls {

Awaitable<void> Hello(RestCall call) { co_await SendReply(call, rest_reply::Text(200, "hi")); }

Awaitable<void> Ping(RestCall call) {
  co_await SendReply(call, rest_reply::Data(ToKubemqJson(call.state.server->Ping())));
}

Awaitable<void> SendRequest(RestCall call) {
  kubemq::Request request;
  if (const auto why = Unreadable(call.request, request))
    co_return co_await SendReply(call, rest_reply::Error(400, *why));
  if (const auto text = kubemq_check::Request(request); !text.empty())
    co_return co_await SendReply(call, rest_reply::Error(400, text));
  if (const auto allowed = CheckNoted(call, request); !allowed.ok())
    co_return co_await SendReply(call, rest_reply::Denial(allowed));
  const auto response = co_await AskOfServer(call.state, Question(request, call.caller));
  if (response.ok()) co_return co_await SendReply(call, rest_reply::Data(ToKubemqJson(*response)));
  if (absl::IsUnavailable(response.status()))
    co_return co_await SendReply(call, rest_reply::Error(503, rest_reply::kStopping));
  co_await SendReply(call, rest_reply::Error(400, MessageOf(response.status())));
}

// Late, second and unknown answers are OK too.
Awaitable<void> SendResponse(RestCall call) {
  kubemq::Response response;
  if (const auto why = Unreadable(call.request, response))
    co_return co_await SendReply(call, rest_reply::Error(400, *why));
  if (const auto text = kubemq_check::Response(response); !text.empty())
    co_return co_await SendReply(call, rest_reply::Error(400, text));
  call.state.server->Answer(response.replychannel(), FromWire(response), call.state.stats);
  co_await SendReply(call, rest_reply::Data(nullptr));
}

Awaitable<void> SendEvent(RestCall call) {
  kubemq::Event event;
  if (const auto why = Unreadable(call.request, event))
    co_return co_await SendReply(call, rest_reply::Error(400, *why));
  if (const auto text = kubemq_check::Event(event); !text.empty())
    co_return co_await SendReply(call, rest_reply::Error(400, text));
  if (const auto allowed = CheckNoted(call, event); !allowed.ok())
    co_return co_await SendReply(call, rest_reply::Denial(allowed));
  if (event.eventid().empty()) event.set_eventid(NewId());
  if (event.store() && call.state.server->broker().stored_events() == nullptr)
    co_return co_await SendReply(call, rest_reply::Error(501, kNoStoredEvents));
  const std::string text = co_await Publish(call, event);
  if (!text.empty()) co_return co_await SendReply(call, rest_reply::Error(400, text));
  kubemq::Result result;
  result.set_eventid(event.eventid());
  result.set_sent(true);
  co_await SendReply(call, rest_reply::Data(ToKubemqJson(result)));
}

Awaitable<void> Queues(RestCall call) {
  co_await SendReply(call, rest_reply::Error(501, rest_reply::kNoQueues));
}

}  // namespace rest_calls
}  // namespace llm_router
