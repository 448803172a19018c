#include "router/gateway/kubemq_rest_queues.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/fault.h"
#include "proto/kubemq_queue_text.h"
#include "router/gateway/kubemq_json.h"
#include "router/gateway/rest_reply.h"

namespace llm_router::rest_queues {
namespace {

QueueCaller From(const RestCall& call) { return QueueCaller(call.caller, kRestDoor, call.request.remote); }

Awaitable<void> SendReply(RestCall call, HttpResponse response) {
  (void)co_await call.responder.Send(std::move(response));
}

// Reads the call's request; the reply to refuse it with, or nothing. What is wrong with the request itself
// (by `check`) is for the answer to say; otherwise who may not make the call hears that.
template <class Request, class Check>
std::optional<HttpResponse> Refused(const RestCall& call, Request& request, Check check) {
  if (const auto why = Unreadable(call.request, request)) return rest_reply::Error(400, *why);
  if (call.state.server->refusing()) return rest_reply::Error(503, rest_reply::kStopping);
  if (!check(request).empty()) return std::nullopt;
  const absl::Status allowed = CheckNoted(call, request);
  return allowed.ok() ? std::nullopt : std::optional(rest_reply::Denial(allowed));
}

// `outcome`: of work in the server; none when the client went away, and then nobody hears this.
template <class Response>
HttpResponse ReplyOf(const std::optional<Response>& outcome) {
  return outcome ? rest_reply::Data(ToKubemqJson(*outcome)) : rest_reply::Error(503, rest_reply::kStopping);
}

// A receive's answer, with what keeps its messages leased.
struct Received {
  explicit Received(KubemqServer& server) : hold(server) {}

  absl::StatusOr<kubemq::ReceiveQueueMessagesResponse> response;
  QueueHold hold;
};

Awaitable<Received> ReceiveInServer(KubemqServer& server, KubemqQueues& queues,
                                    kubemq::ReceiveQueueMessagesRequest request) {
  Received received(server);
  received.response = co_await queues.Receive(std::move(request), received.hold);
  co_return received;
}

}  // namespace

Awaitable<void> Send(RestCall call) {
  kubemq::QueueMessage message;
  if (auto refused = Refused(call, message, kubemq_check::QueueMessage))
    co_return co_await SendReply(call, *std::move(refused));
  std::vector<kubemq::QueueMessage> messages;
  messages.push_back(std::move(message));
  const auto results =
      co_await RunInServer(*call.state.server, call.state.queues.Send(From(call), std::move(messages)));
  std::optional<kubemq::SendQueueMessageResult> result;
  if (results) result = results->front();
  co_await SendReply(call, ReplyOf(result));
}

Awaitable<void> SendBatch(RestCall call) {
  kubemq::QueueMessagesBatchRequest batch;
  if (const auto why = Unreadable(call.request, batch))
    co_return co_await SendReply(call, rest_reply::Error(400, *why));
  if (call.state.server->refusing())
    co_return co_await SendReply(call, rest_reply::Error(503, rest_reply::kStopping));
  if (batch.messages().empty())
    co_return co_await SendReply(call, rest_reply::Error(400, kubemq_text::kNoMessages));
  if (const auto text = KubemqQueues::CheckBatch(batch); !text.empty())
    co_return co_await SendReply(call, rest_reply::Error(400, text));
  const auto response =
      co_await RunInServer(*call.state.server, call.state.queues.SendBatch(From(call), std::move(batch)));
  co_await SendReply(call, ReplyOf(response));
}

Awaitable<void> Receive(RestCall call) {
  kubemq::ReceiveQueueMessagesRequest request;
  if (auto refused = Refused(call, request, kubemq_check::Receive))
    co_return co_await SendReply(call, *std::move(refused));
  auto received = co_await RunInServer(
      *call.state.server, ReceiveInServer(*call.state.server, call.state.queues, std::move(request)));
  if (!received || !received->response.ok())
    co_return co_await SendReply(call, rest_reply::Error(503, rest_reply::kStopping));
  // What could not be handed over goes back with `received`.
  const absl::Status sent = co_await call.responder.Send(rest_reply::Data(ToKubemqJson(*received->response)));
  if (sent.ok()) received->hold.Acknowledge();
}

Awaitable<void> AckAll(RestCall call) {
  kubemq::AckAllQueueMessagesRequest request;
  if (auto refused = Refused(call, request, kubemq_check::AckAll))
    co_return co_await SendReply(call, *std::move(refused));
  const auto response =
      co_await RunInServer(*call.state.server, call.state.queues.AckAll(std::move(request)));
  co_await SendReply(call, ReplyOf(response));
}

Awaitable<void> Info(RestCall call) {
  kubemq::QueuesInfoRequest request;
  if (!call.request.body.empty()) {
    if (const absl::Status read = ReadKubemqJson(call.request.body, request); !read.ok()) {
      const std::string why =
          fmt::format("code=400, message={}, internal=invalid JSON body", MessageOf(read));
      co_return co_await SendReply(call, rest_reply::Error(400, why));
    }
  }
  if (const auto allowed = CheckNoted(call, request); !allowed.ok())
    co_return co_await SendReply(call, rest_reply::Denial(allowed));
  const auto info = co_await call.state.queues.Info(std::move(request));
  if (info.ok()) co_return co_await SendReply(call, rest_reply::Data(ToKubemqJson(*info)));
  co_await SendReply(call, rest_reply::Error(RowOf(FaultOf(info.status())).http, MessageOf(info.status())));
}

}  // namespace llm_router::rest_queues
