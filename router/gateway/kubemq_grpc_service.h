// KubemqService: the methods of the wire, on gRPC's threads: check, copy, post. Owned by the door.
#pragma once

#include <memory>
#include <utility>

#include "kubemq.grpc.pb.h"
#include "router/gateway/kubemq_grpc_state.h"

namespace llm_router {

class KubemqService final : public kubemq::kubemq::CallbackService {
 public:
  explicit KubemqService(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}

  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;
  template <class Wire>
  using Writer = grpc::ServerWriteReactor<Wire>;
  template <class In, class Out>
  using Exchange = grpc::ServerBidiReactor<In, Out>;

  Unary* Ping(Context* context, const kubemq::Empty* request, kubemq::PingResult* result) override;
  Unary* SendRequest(Context* context, const kubemq::Request* request, kubemq::Response* response) override;
  Unary* SendResponse(Context* context, const kubemq::Response* response, kubemq::Empty* empty) override;
  Unary* SendEvent(Context* context, const kubemq::Event* event, kubemq::Result* result) override;
  Exchange<kubemq::Event, kubemq::Result>* SendEventsStream(Context* context) override;
  Writer<kubemq::Request>* SubscribeToRequests(Context* context, const kubemq::Subscribe* subscribe) override;
  Writer<kubemq::EventReceive>* SubscribeToEvents(Context* context,
                                                  const kubemq::Subscribe* subscribe) override;

  Unary* SendQueueMessage(Context* context, const kubemq::QueueMessage* message,
                          kubemq::SendQueueMessageResult* result) override;
  Unary* SendQueueMessagesBatch(Context* context, const kubemq::QueueMessagesBatchRequest* batch,
                                kubemq::QueueMessagesBatchResponse* response) override;
  Unary* ReceiveQueueMessages(Context* context, const kubemq::ReceiveQueueMessagesRequest* request,
                              kubemq::ReceiveQueueMessagesResponse* response) override;
  Unary* AckAllQueueMessages(Context* context, const kubemq::AckAllQueueMessagesRequest* request,
                             kubemq::AckAllQueueMessagesResponse* response) override;
  Unary* QueuesInfo(Context* context, const kubemq::QueuesInfoRequest* request,
                    kubemq::QueuesInfoResponse* response) override;
  Exchange<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>* StreamQueueMessage(
      Context* context) override;
  Exchange<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>* QueuesDownstream(
      Context* context) override;
  Exchange<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>* QueuesUpstream(
      Context* context) override;

 private:
  std::shared_ptr<DoorState> state_;  // shared with the calls, which outlast a method
};

}  // namespace llm_router
