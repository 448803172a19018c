// The queues' half of the KubeMQ door: the calls with one answer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

// One such call. Shared by gRPC until OnDone and by its coroutine; gRPC keeps request and response meanwhile.
template <class In, class Out>
class QueueCall final : public grpc::ServerUnaryReactor,
                        public std::enable_shared_from_this<QueueCall<In, Out>> {
 public:
  using Work = Awaitable<grpc::Status> (*)(QueueCall& call);

  QueueCall(std::shared_ptr<DoorState> door_state, CallerPtr caller, grpc::CallbackServerContext& context,
            const In* its_request, Out* its_response, Work work)
      : state(std::move(door_state)),
        from(std::move(caller), kGrpcDoor, context.peer()),
        request(*its_request),
        response(*its_response),
        hold(*state->server),
        context_(context),
        work_(work) {}

  void Accept() {
    self_ = this->shared_from_this();
    state->loop.Post([self = self_] { self->Begin(); });
  }

  void OnCancel() override {
    state->loop.Post([self = self_] {
      self->gone_ = true;
      self->state->server->tasks().Cancel(self->task_);
    });
  }
  // gRPC has handed the answer over, or knows by now that it can't.
  void OnDone() override {
    state->loop.Post([self = std::move(self_), handed_over = !context_.IsCancelled()] {
      handed_over ? self->hold.Acknowledge() : self->hold.Release();
    });
  }

  const std::shared_ptr<DoorState> state;
  const QueueCaller from;
  const In& request;
  Out& response;
  QueueHold hold;  // acknowledged once the answer is handed over

 private:
  void Begin() {
    if (gone_) return Finish(grpc::Status::CANCELLED);
    if (state->server->refusing()) return Finish(NotReady());
    task_ = state->server->tasks().Spawn(Run(this->shared_from_this()));
  }
  static Awaitable<void> Run(std::shared_ptr<QueueCall> self) {
    const grpc::Status end = co_await self->work_(*self);
    self->Finish(end);
  }

  grpc::CallbackServerContext& context_;
  const Work work_;
  TaskGroup::TaskId task_ = 0;
  bool gone_ = false;                // the caller
  std::shared_ptr<QueueCall> self_;  // held for gRPC until OnDone
};

namespace queue_calls {

using Send = QueueCall<kubemq::QueueMessage, kubemq::SendQueueMessageResult>;
using SendBatch = QueueCall<kubemq::QueueMessagesBatchRequest, kubemq::QueueMessagesBatchResponse>;
using Receive = QueueCall<kubemq::ReceiveQueueMessagesRequest, kubemq::ReceiveQueueMessagesResponse>;
using AckAll = QueueCall<kubemq::AckAllQueueMessagesRequest, kubemq::AckAllQueueMessagesResponse>;
using Info = QueueCall<kubemq::QueuesInfoRequest, kubemq::QueuesInfoResponse>;

Awaitable<grpc::Status> Run(Send& call);
Awaitable<grpc::Status> Run(SendBatch& call);
Awaitable<grpc::Status> Run(Receive& call);
Awaitable<grpc::Status> Run(AckAll& call);
Awaitable<grpc::Status> Run(Info& call);

}  // namespace queue_calls
}  // namespace llm_router
