#include "router/gateway/kubemq_grpc_queues.h"

#include <vector>

#include "broker_adapters/base/status.h"

namespace llm_router::queue_calls {
namespace {

// What a call is told that was cancelled though its caller is still there: the server stops. A caller that
// went away hears neither.
template <class Out>
grpc::Status Answered(absl::StatusOr<Out> answer, Out& response) {
  if (!answer.ok()) return NotReady();
  response = *std::move(answer);
  return grpc::Status::OK;
}

}  // namespace

Awaitable<grpc::Status> Run(Send& call) {
  auto results = co_await call.state->queues.Send(call.from, std::vector<kubemq::QueueMessage>{call.request});
  call.response = std::move(results.front());
  co_return grpc::Status::OK;
}

Awaitable<grpc::Status> Run(SendBatch& call) {
  call.response = co_await call.state->queues.SendBatch(call.from, call.request);
  co_return grpc::Status::OK;
}

Awaitable<grpc::Status> Run(Receive& call) {
  auto answer = co_await call.state->queues.Receive(call.request, call.hold);
  co_return Answered(std::move(answer), call.response);
}

Awaitable<grpc::Status> Run(AckAll& call) {
  call.response = co_await call.state->queues.AckAll(call.request);
  co_return grpc::Status::OK;
}

Awaitable<grpc::Status> Run(Info& call) {
  auto answer = co_await call.state->queues.Info(call.request);
  if (!answer.ok()) co_return Refusal(MessageOf(answer.status()));
  call.response = *std::move(answer);
  co_return grpc::Status::OK;
}

}  // namespace llm_router::queue_calls
