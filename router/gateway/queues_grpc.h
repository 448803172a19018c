// The door's service for the figures of its queues that KubeMQ's wire can't carry (proto/queues.proto).
#pragma once

#include <memory>

#include "queues.grpc.pb.h"
#include "router/gateway/kubemq_grpc_state.h"

namespace llm_router {

class QueuesService final : public wire::Queues::CallbackService {
 public:
  explicit QueuesService(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}

  grpc::ServerUnaryReactor* Info(grpc::CallbackServerContext* context, const wire::QueueName* queue,
                                 wire::QueueFigures* figures) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const wire::ListQueues* all,
                                 wire::QueueList* list) override;

 private:
  std::shared_ptr<DoorState> state_;  // shared with the coroutines of its calls
};

}  // namespace llm_router
