#include "router/gateway/kubemq_grpc_service.h"

#include <string>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_grpc_admit.h"
#include "router/gateway/kubemq_grpc_downstream.h"
#include "router/gateway/kubemq_grpc_events.h"
#include "router/gateway/kubemq_grpc_queues.h"
#include "router/gateway/kubemq_grpc_requests.h"
#include "router/gateway/kubemq_grpc_stored.h"
#include "router/gateway/kubemq_grpc_upstream.h"
#include "router/gateway/kubemq_grpc_visit.h"

namespace llm_router {
namespace {

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, grpc::Status status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

// Begins a stream whose messages are checked as they come.
template <class Stream, class In, class Out>
grpc::ServerBidiReactor<In, Out>* BeginExchange(const std::shared_ptr<DoorState>& state,
                                                grpc::CallbackServerContext* context,
                                                std::string_view method) {
  if (state->server->refusing()) return new RefusedExchange<In, Out>(NotReady());
  const auto caller = Admit(*state, *context, method);
  if (!caller.ok()) return new RefusedExchange<In, Out>(Refusal(caller.status()));
  const auto stream = std::make_shared<Stream>(state);
  stream->caller = *caller;
  stream->peer = context->peer();
  stream->Accept();
  return stream.get();
}

// Begins a queue call with one answer. gRPC and its coroutine share it: either may be the last.
template <class Call, class In, class Out>
grpc::ServerUnaryReactor* BeginQueueCall(const std::shared_ptr<DoorState>& state, CallerPtr caller,
                                         grpc::CallbackServerContext* context, const In* request,
                                         Out* response) {
  const auto call = std::make_shared<Call>(state, std::move(caller), *context, request, response,
                                           static_cast<typename Call::Work>(queue_calls::Run));
  call->Accept();
  return call.get();
}

// The same for one call among those that `method` lets in. What is wrong with the request itself (by `check`)
// the answer says; otherwise who may not make it hears that.
template <class Call, class In, class Out, class Check>
grpc::ServerUnaryReactor* BeginQueueCall(const std::shared_ptr<DoorState>& state,
                                         grpc::CallbackServerContext* context, std::string_view method,
                                         const In* request, Out* response, Check check) {
  if (state->server->refusing()) return Answer(context, NotReady());
  auto caller = Admit(*state, *context, method);
  if (!caller.ok()) return Answer(context, Refusal(caller.status()));
  if (check(*request).empty()) {
    const absl::Status allowed = CheckNoted(*state, **caller, *request, context->peer());
    if (!allowed.ok()) return Answer(context, Refusal(allowed));
  }
  return BeginQueueCall<Call>(state, *std::move(caller), context, request, response);
}

}  // namespace

KubemqService::Unary* KubemqService::Ping(Context* context, const kubemq::Empty* /*request*/,
                                          kubemq::PingResult* result) {
  const auto caller = Admit(*state_, *context, __func__);
  if (!caller.ok()) return Answer(context, Refusal(caller.status()));
  *result = state_->server->Ping();
  if (!state_->server->options().announce) return Answer(context, grpc::Status::OK);
  Unary* const reactor = context->DefaultReactor();
  // How well queues keep, a broker that is a client itself learns on the loop.
  state_->loop.Post([state = state_, context, reactor, who = *caller] {
    const Durability durability = state->server->broker().caps().durability;
    context->AddInitialMetadata(std::string(kubemq_text::kMark), "1");
    context->AddInitialMetadata(std::string(kubemq_text::kDurability), std::string(NameOf(durability)));
    if (who) context->AddInitialMetadata(std::string(kubemq_text::kTenant), who->tenant);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

KubemqService::Unary* KubemqService::SendRequest(Context* context, const kubemq::Request* request,
                                                 kubemq::Response* response) {
  if (state_->server->refusing()) return Answer(context, NotReady());
  const auto caller = Admit(*state_, *context, __func__, *request, kubemq_check::Request);
  if (!caller.ok()) return Answer(context, Refusal(caller.status()));
  // gRPC and the coroutine share it: either may be the last.
  const auto call = std::make_shared<RequestCall>(state_, *caller, *request, response);
  call->Accept();
  return call.get();
}

// Answered before the loop has seen it: late, second and unknown replies are OK too.
KubemqService::Unary* KubemqService::SendResponse(Context* context, const kubemq::Response* response,
                                                  kubemq::Empty* /*empty*/) {
  if (const auto caller = Admit(*state_, *context, __func__); !caller.ok())
    return Answer(context, Refusal(caller.status()));
  if (const auto text = kubemq_check::Response(*response); !text.empty())
    return Answer(context, Refusal(text));
  state_->loop.Post(
      [state = state_, channel = response->replychannel(), reply = FromWire(*response)]() mutable {
        state->server->Answer(channel, std::move(reply), state->stats);
      });
  return Answer(context, grpc::Status::OK);
}

KubemqService::Unary* KubemqService::SendEvent(Context* context, const kubemq::Event* event,
                                               kubemq::Result* result) {
  if (state_->server->refusing()) return Answer(context, NotReady());
  const auto caller = Admit(*state_, *context, __func__, *event, kubemq_check::Event);
  if (!caller.ok()) return Answer(context, Refusal(caller.status()));
  Unary* const reactor = context->DefaultReactor();
  // gRPC keeps event and result until Finish.
  state_->loop.Post([state = state_, reactor, event, result, from = *caller] {
    if (event->store()) {
      if (state->server->refusing()) return reactor->Finish(NotReady());
      state->server->tasks().Spawn(SendStored(state, reactor, event, result, from));
      return;
    }
    result->set_eventid(event->eventid().empty() ? NewId() : event->eventid());
    result->set_error(state->server->Publish(*event, *from, state->stats));
    result->set_sent(result->error().empty());
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

KubemqService::Exchange<kubemq::Event, kubemq::Result>* KubemqService::SendEventsStream(Context* context) {
  using Refused = RefusedExchange<kubemq::Event, kubemq::Result>;
  if (state_->server->refusing()) return new Refused(NotReady());
  const auto caller = Admit(*state_, *context, __func__);
  if (!caller.ok()) return new Refused(Refusal(caller.status()));
  const auto stream = std::make_shared<EventSenderStream>(state_);
  stream->caller = *caller;
  stream->peer = context->peer();
  stream->Accept();
  return stream.get();
}

KubemqService::Writer<kubemq::Request>* KubemqService::SubscribeToRequests(
    Context* context, const kubemq::Subscribe* subscribe) {
  if (state_->server->refusing()) return new RefusedStream<kubemq::Request>(NotReady());
  const auto caller = Admit(*state_, *context, __func__, *subscribe, kubemq_check::RequestsSubscription);
  if (!caller.ok()) return new RefusedStream<kubemq::Request>(Refusal(caller.status()));
  const auto stream = std::make_shared<RequestStream>(state_, *subscribe);
  stream->caller = *caller;
  stream->peer = context->peer();
  stream->Accept();
  return stream.get();
}

KubemqService::Writer<kubemq::EventReceive>* KubemqService::SubscribeToEvents(
    Context* context, const kubemq::Subscribe* subscribe) {
  if (state_->server->refusing()) return new RefusedStream<kubemq::EventReceive>(NotReady());
  const auto caller = Admit(*state_, *context, __func__, *subscribe, kubemq_check::EventsSubscription);
  if (!caller.ok()) return new RefusedStream<kubemq::EventReceive>(Refusal(caller.status()));
  const auto begin = [&](const auto& stream) {
    stream->caller = *caller;
    stream->peer = context->peer();
    stream->Accept();
    return stream.get();
  };
  if (subscribe->subscribetypedata() == kubemq::Subscribe::EventsStore)
    return begin(std::make_shared<StoredSubscriberStream>(state_, *subscribe));
  return begin(std::make_shared<EventSubscriberStream>(state_, *subscribe));
}

KubemqService::Unary* KubemqService::SendQueueMessage(Context* context, const kubemq::QueueMessage* message,
                                                      kubemq::SendQueueMessageResult* result) {
  return BeginQueueCall<queue_calls::Send>(state_, context, __func__, message, result,
                                           kubemq_check::QueueMessage);
}

KubemqService::Unary* KubemqService::SendQueueMessagesBatch(Context* context,
                                                            const kubemq::QueueMessagesBatchRequest* batch,
                                                            kubemq::QueueMessagesBatchResponse* response) {
  if (state_->server->refusing()) return Answer(context, NotReady());
  auto caller = Admit(*state_, *context, __func__);
  if (!caller.ok()) return Answer(context, Refusal(caller.status()));
  if (const auto text = KubemqQueues::CheckBatch(*batch); !text.empty())
    return Answer(context, grpc::Status(grpc::StatusCode::UNKNOWN, std::string(text)));
  // Each message has a result of its own to say what is wrong with it.
  return BeginQueueCall<queue_calls::SendBatch>(state_, *std::move(caller), context, batch, response);
}

KubemqService::Unary* KubemqService::ReceiveQueueMessages(Context* context,
                                                          const kubemq::ReceiveQueueMessagesRequest* request,
                                                          kubemq::ReceiveQueueMessagesResponse* response) {
  return BeginQueueCall<queue_calls::Receive>(state_, context, __func__, request, response,
                                              kubemq_check::Receive);
}

KubemqService::Unary* KubemqService::AckAllQueueMessages(Context* context,
                                                         const kubemq::AckAllQueueMessagesRequest* request,
                                                         kubemq::AckAllQueueMessagesResponse* response) {
  return BeginQueueCall<queue_calls::AckAll>(state_, context, __func__, request, response,
                                             kubemq_check::AckAll);
}

KubemqService::Unary* KubemqService::QueuesInfo(Context* context, const kubemq::QueuesInfoRequest* request,
                                                kubemq::QueuesInfoResponse* response) {
  return BeginQueueCall<queue_calls::Info>(
      state_, context, __func__, request, response,
      [](const kubemq::QueuesInfoRequest&) { return std::string_view(); });
}

KubemqService::Exchange<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>*
KubemqService::StreamQueueMessage(Context* context) {
  return BeginExchange<VisitStream, kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>(
      state_, context, __func__);
}

KubemqService::Exchange<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>*
KubemqService::QueuesDownstream(Context* context) {
  return BeginExchange<DownstreamStream, kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>(
      state_, context, __func__);
}

KubemqService::Exchange<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>*
KubemqService::QueuesUpstream(Context* context) {
  return BeginExchange<UpstreamStream, kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>(
      state_, context, __func__);
}

}  // namespace llm_router
