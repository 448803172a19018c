#include "broker_adapters/nats/nats_broker.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/nats/asker.h"
#include "broker_adapters/nats/connection.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/query_service.h"
#include "broker_adapters/nats/queue_look.h"
#include "broker_adapters/nats/queues.h"
#include "broker_adapters/nats/streams.h"
#include "broker_adapters/nats/subjects.h"
#include "broker_adapters/pattern.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

using nats::Connection;
using nats::QueryService;

constexpr auto kEventLifetime = std::chrono::seconds(10);
constexpr auto kSubscribePatience = std::chrono::seconds(2);

class QuerySubscription final : public Subscription {
 public:
  explicit QuerySubscription(std::shared_ptr<QueryService> service) : service_(std::move(service)) {}
  ~QuerySubscription() override { service_->End(); }
  Awaitable<void> Drain() override { return QueryService::Drain(service_); }

 private:
  std::shared_ptr<QueryService> service_;  // its coroutines hold it too
};

class EventSubscription final : public Subscription {
 public:
  EventSubscription(std::shared_ptr<Connection> connection, uint64_t id)
      : connection_(std::move(connection)), id_(id) {}
  ~EventSubscription() override { connection_->Unsubscribe(id_); }
  Awaitable<void> Drain() override {
    connection_->Unsubscribe(id_);
    co_return;
  }

 private:
  std::shared_ptr<Connection> connection_;  // may outlive the broker
  uint64_t id_;
};

class NatsBroker final : public Broker {
 public:
  NatsBroker(Executor executor, NatsOptions options)
      : connection_(Connection::Make(executor, std::move(options))),
        asker_(*connection_),
        streams_(*connection_),
        queues_(*connection_, streams_),
        look_(*connection_, streams_) {}

  Awaitable<absl::StatusOr<Reply>> Request(Query query) override { return asker_.Request(std::move(query)); }
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
  QueueAdmin* queue_admin() override { return &look_; }
  const Caps& caps() const override { return connection_->caps(); }
  Awaitable<void> Stop() override;

 private:
  const std::shared_ptr<Connection> connection_;  // subscriptions, which may outlive the broker, hold it too
  nats::Asker asker_;
  nats::Streams streams_;
  nats::Queues queues_;
  nats::QueueLook look_;
};

Awaitable<absl::StatusOr<SubscriptionPtr>> NatsBroker::Serve(ServeOptions options, QueryHandler handler) {
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  CO_RETURN_IF_ERROR(nats::CheckPattern(options.pattern));
  CO_RETURN_IF_ERROR(CheckGroup(options.group));
  auto service = std::make_shared<QueryService>(connection_, std::move(options), std::move(handler));
  CO_RETURN_IF_ERROR(co_await service->Begin());
  co_return std::make_unique<QuerySubscription>(std::move(service));
}

absl::Status NatsBroker::Publish(Message event) {
  if (connection_->stopping()) return connection_->ShuttingDown();
  RETURN_IF_ERROR(nats::CheckName(event.channel));
  RETURN_IF_ERROR(connection_->CheckBody(event));
  if (event.client_id.empty()) event.client_id = connection_->options().client_id;
  if (event.id.empty()) event.id = NewId();
  std::string subject = nats::EventSubject(event.channel);
  return connection_->Publish(nats::ToWire(std::move(event), std::move(subject)), Now() + kEventLifetime);
}

Awaitable<absl::StatusOr<SubscriptionPtr>> NatsBroker::Subscribe(std::string pattern, std::string group,
                                                                 EventHandler handler) {
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  CO_RETURN_IF_ERROR(nats::CheckPattern(pattern));
  CO_RETURN_IF_ERROR(CheckGroup(group));
  const uint64_t id = connection_->Subscribe(nats::EventSubject(pattern), group,
                                             [handler = std::move(handler)](auto message) {
                                               if (message && message->status == 0)
                                                 handler(nats::MessageOf(*std::move(message)));
                                             });
  auto subscription = std::make_unique<EventSubscription>(connection_, id);
  const TimePoint patience = Now() + kSubscribePatience;
  if ((co_await connection_->Up(patience)).ok()) (void)co_await connection_->Confirm(patience);
  if (connection_->stopping()) co_return connection_->ShuttingDown();
  co_return subscription;
}

Awaitable<void> NatsBroker::Stop() {
  connection_->BeginStop();
  queues_.Stop();
  co_await connection_->Stop();
}

}  // namespace

std::unique_ptr<Broker> MakeNatsBroker(Executor executor, NatsOptions options) {
  return std::make_unique<NatsBroker>(executor, std::move(options));
}

}  // namespace llm_router
