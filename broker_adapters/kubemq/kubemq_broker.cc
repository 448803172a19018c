#include "broker_adapters/kubemq/kubemq_broker.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/connection.h"
#include "broker_adapters/kubemq/convert.h"
#include "broker_adapters/kubemq/event_publisher.h"
#include "broker_adapters/kubemq/event_stream.h"
#include "broker_adapters/kubemq/query_stream.h"
#include "broker_adapters/kubemq/remote_queues.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

// How much longer than the query gRPC waits: the server's own word at the deadline should arrive.
constexpr auto kBeyondDeadline = std::chrono::seconds(2);

class QuerySubscription final : public Subscription {
 public:
  explicit QuerySubscription(std::shared_ptr<QueryStream> stream) : stream_(std::move(stream)) {}
  ~QuerySubscription() override { stream_->End(); }
  Awaitable<void> Drain() override { return QueryStream::Drain(stream_); }

 private:
  std::shared_ptr<QueryStream> stream_;  // its coroutines hold it too
};

class EventSubscription final : public Subscription {
 public:
  explicit EventSubscription(std::shared_ptr<EventStream> stream) : stream_(std::move(stream)) {}
  ~EventSubscription() override { stream_->Close(); }
  Awaitable<void> Drain() override {
    stream_->Close();
    co_return;
  }

 private:
  std::shared_ptr<EventStream> stream_;  // its coroutine holds it too
};

class KubemqBroker final : public Broker {
 public:
  KubemqBroker(Executor executor, KubemqOptions options)
      : connection_(std::make_shared<Connection>(executor, std::move(options))),
        publisher_(*connection_),
        queues_(*connection_) {}

  void Greet() { connection_->tasks().Spawn(LearnCaps(*connection_)); }

  Awaitable<absl::StatusOr<Reply>> Request(Query query) override;
  Awaitable<absl::StatusOr<SubscriptionPtr>> Serve(ServeOptions options, QueryHandler handler) override;
  absl::Status Publish(Message event) override;
  Awaitable<absl::StatusOr<SubscriptionPtr>> Subscribe(std::string pattern, std::string group,
                                                       EventHandler handler) override;
  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue,
                                                          std::vector<Outgoing> messages) override {
    return queues_.Send(std::move(queue), std::move(messages));
  }
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue,
                                                           ReceiveOptions options) override {
    return queues_.Receive(std::move(queue), options);
  }
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement) override {
    return queues_.Settle(std::move(receipts), settlement);
  }
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue) override {
    return queues_.Info(std::move(queue));
  }
  QueueAdmin* queue_admin() override { return &queues_; }
  Awaitable<absl::StatusOr<std::string>> Tenant() override {
    CO_RETURN_IF_ERROR((co_await connection_->Marked()).status());
    co_return connection_->tenant();
  }
  const Caps& caps() const override { return connection_->caps(); }
  Awaitable<void> Stop() override;

 private:
  static Awaitable<void> LearnCaps(Connection& connection);

  std::shared_ptr<Connection> connection_;  // subscriptions, which may outlive the broker, hold it too
  EventPublisher publisher_;
  RemoteQueues queues_;
  absl::flat_hash_set<grpc::ClientContext*> requests_;
};

Awaitable<void> KubemqBroker::LearnCaps(Connection& connection) {
  Backoff backoff;
  while (!co_await Cancelled() && !(co_await connection.Marked()).ok()) {
    if (!co_await Sleep(Now() + backoff.Next())) break;
  }
}

Awaitable<absl::StatusOr<Reply>> KubemqBroker::Request(Query query) {
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  CO_RETURN_IF_ERROR(connection_->CheckBody(query.message));
  if (query.deadline <= Now()) co_return MakeFault(Fault::kTimeout, "the deadline has passed already");
  auto call = std::make_shared<UnaryCall<kubemq::Request, kubemq::Response>>(connection_->executor());
  call->context.set_deadline(OnSystemClock(query.deadline + kBeyondDeadline));
  if (query.message.client_id.empty()) query.message.client_id = connection_->options().client_id;
  if (query.message.id.empty()) query.message.id = NewId();
  call->question = ToWire(std::move(query));
  requests_.insert(&call->context);
  const grpc::Status status = co_await connection_->Call(
      call, Connection::Method<kubemq::Request, kubemq::Response>(&Connection::Async::SendRequest));
  requests_.erase(&call->context);
  if (!status.ok()) co_return connection_->ToFault(status);
  Reply reply = FromWire(call->answer);
  if (const auto failure = FailureIn(reply)) co_return *failure;
  co_return reply;
}

Awaitable<absl::StatusOr<SubscriptionPtr>> KubemqBroker::Serve(ServeOptions options, QueryHandler handler) {
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  auto stream = std::make_shared<QueryStream>(connection_, std::move(options), std::move(handler));
  CO_RETURN_IF_ERROR(co_await stream->Open());
  co_return std::make_unique<QuerySubscription>(std::move(stream));
}

absl::Status KubemqBroker::Publish(Message event) {
  if (connection_->stopping()) return connection_->ShuttingDown();
  RETURN_IF_ERROR(connection_->CheckBody(event));
  if (event.client_id.empty()) event.client_id = connection_->options().client_id;
  if (event.id.empty()) event.id = NewId();
  kubemq::Event wire = EventToWire(std::move(event));
  if (const auto text = kubemq_check::Event(wire); !text.empty())
    return MakeFault(Fault::kInvalidRequest, text);
  return publisher_.Publish(std::move(wire));
}

Awaitable<absl::StatusOr<SubscriptionPtr>> KubemqBroker::Subscribe(std::string pattern, std::string group,
                                                                   EventHandler handler) {
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  auto stream = std::make_shared<EventStream>(connection_, pattern, group, std::move(handler));
  CO_RETURN_IF_ERROR(co_await stream->Open());
  co_return std::make_unique<EventSubscription>(std::move(stream));
}

Awaitable<void> KubemqBroker::Stop() {
  connection_->BeginStop();
  for (grpc::ClientContext* request : requests_) request->TryCancel();
  queues_.Stop();
  co_await publisher_.Flush();
  co_await connection_->Stop();
}

}  // namespace

std::unique_ptr<Broker> MakeKubemqBroker(Executor executor, KubemqOptions options) {
  auto broker = std::make_unique<KubemqBroker>(executor, std::move(options));
  broker->Greet();
  return broker;
}

}  // namespace llm_router
