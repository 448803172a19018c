#include "router/gateway/kubemq_grpc_service.h"

#include <string>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_grpc_admit.h"
#include "router/gateway/kubemq_grpc_events.h"
#include "router/gateway/kubemq_grpc_requests.h"
#include "router/gateway/kubemq_grpc_stored.h"

namespace llm_router {
namespace {

grpc::Status NotYet() {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                      "this server does not keep queues yet: send queries or events instead");
}

// The end of a call that is not built yet: but who may not call it hears that first.
template <class... Message>
grpc::Status NotYetFor(DoorState& state, const grpc::CallbackServerContext& context, std::string_view method,
                       const Message&... message) {
  const auto caller = Admit(state, context, method, message...);
  return caller.ok() ? NotYet() : Refusal(caller.status());
}

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, grpc::Status status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

}  // namespace

KubemqService::Unary* KubemqService::Ping(Context* context, const kubemq::Empty* /*request*/,
                                          kubemq::PingResult* result) {
  if (const auto caller = Admit(*state_, *context, __func__); !caller.ok())
    return Answer(context, Refusal(caller.status()));
  if (state_->server->options().announce) context->AddInitialMetadata(std::string(kubemq_text::kMark), "1");
  *result = state_->server->Ping();
  return Answer(context, grpc::Status::OK);
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
                                                      kubemq::SendQueueMessageResult*) {
  return Answer(context, NotYetFor(*state_, *context, __func__, *message));
}
KubemqService::Unary* KubemqService::SendQueueMessagesBatch(Context* context,
                                                            const kubemq::QueueMessagesBatchRequest* batch,
                                                            kubemq::QueueMessagesBatchResponse*) {
  return Answer(context, NotYetFor(*state_, *context, __func__, *batch));
}
KubemqService::Unary* KubemqService::ReceiveQueueMessages(Context* context,
                                                          const kubemq::ReceiveQueueMessagesRequest* request,
                                                          kubemq::ReceiveQueueMessagesResponse*) {
  return Answer(context, NotYetFor(*state_, *context, __func__, *request));
}
KubemqService::Unary* KubemqService::AckAllQueueMessages(Context* context,
                                                         const kubemq::AckAllQueueMessagesRequest* request,
                                                         kubemq::AckAllQueueMessagesResponse*) {
  return Answer(context, NotYetFor(*state_, *context, __func__, *request));
}
KubemqService::Unary* KubemqService::QueuesInfo(Context* context, const kubemq::QueuesInfoRequest* request,
                                                kubemq::QueuesInfoResponse*) {
  return Answer(context, NotYetFor(*state_, *context, __func__, *request));
}
KubemqService::Exchange<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>*
KubemqService::StreamQueueMessage(Context* context) {
  return new RefusedExchange<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>(
      NotYetFor(*state_, *context, __func__));
}
KubemqService::Exchange<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>*
KubemqService::QueuesDownstream(Context* context) {
  return new RefusedExchange<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>(
      NotYetFor(*state_, *context, __func__));
}
KubemqService::Exchange<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>*
KubemqService::QueuesUpstream(Context* context) {
  return new RefusedExchange<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>(
      NotYetFor(*state_, *context, __func__));
}

}  // namespace llm_router
