#include "broker_adapters/kubemq/worker_link.h"

#include <utility>

namespace llm_router {

WorkerLink::WorkerLink(Connection& connection)
    : StreamReader(connection),
      connection_(connection),
      outbox_([this](const wire::FromWorker* message, grpc::WriteOptions options) {
        StartWrite(message, options);
      }),
      drained_(connection.executor()) {}

void WorkerLink::Subscribe(kubemq::Subscribe subscribe, size_t capacity) {
  Start([this](grpc::ClientContext* context) {
    connection_.workers().async()->Serve(context, this);
    // A hold of its own, for writes are started from the loop too.
    AddHold();
  });
  wire::FromWorker message;
  *message.mutable_subscribe()->mutable_subscribe() = std::move(subscribe);
  message.mutable_subscribe()->set_capacity(static_cast<uint32_t>(capacity));
  outbox_.Push(std::move(message), 0);
}

void WorkerLink::Reply(kubemq::Response response) {
  wire::FromWorker message;
  const size_t bytes = response.body().size();
  *message.mutable_reply() = std::move(response);
  outbox_.Push(std::move(message), bytes);
}

Awaitable<void> WorkerLink::Drain() {
  wire::FromWorker message;
  message.mutable_drain();
  outbox_.Push(std::move(message), 0);
  (void)co_await drained_.Wait(TimePoint::max());
}

std::optional<kubemq::Request> WorkerLink::Accept(wire::ToWorker message) {
  if (message.has_request()) return std::move(*message.mutable_request());
  drained_.Set(true);
  return std::nullopt;
}

void WorkerLink::ReadingOver() {
  drained_.Set(true);
  outbox_.Close([this] { RemoveHold(); });
}

}  // namespace llm_router
