#include "broker_adapters/embedded/embedded_broker.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/durable_queues.h"
#include "broker_adapters/embedded/event_topics.h"
#include "broker_adapters/embedded/query_topics.h"
#include "broker_adapters/embedded/stored_topics.h"

namespace llm_router {
namespace {

class EmbeddedBroker : public Broker {
 public:
  // `queues` and `stored` may be null.
  EmbeddedBroker(Executor executor, const EmbeddedOptions& options, std::unique_ptr<DurableQueues> queues,
                 std::unique_ptr<StoredTopics> stored)
      : commands_(executor, options),
        queries_(executor, options),
        events_(executor, options),
        queues_(std::move(queues)),
        stored_(std::move(stored)) {
    if (queues_) caps_.durability = Durability::kSynced;
    caps_.dispatch = Dispatch::kLeastOutstanding;
    caps_.max_body = options.max_body;
    caps_.confirms_subscribe = true;
  }

  Awaitable<absl::StatusOr<Reply>> Request(Query query) override {
    return TopicsOf(query.kind).Request(std::move(query));
  }

  Awaitable<absl::StatusOr<SubscriptionPtr>> Serve(ServeOptions options, QueryHandler handler) override {
    auto& topics = TopicsOf(options.kind);
    co_return topics.Serve(std::move(options), std::move(handler));
  }

  absl::Status Publish(Message event) override { return events_.Publish(std::move(event)); }

  Awaitable<absl::StatusOr<SubscriptionPtr>> Subscribe(std::string pattern, std::string group,
                                                       EventHandler handler) override {
    co_return events_.Subscribe(std::move(pattern), std::move(group), std::move(handler));
  }

  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue,
                                                          std::vector<Outgoing> messages) override {
    return queues_ ? queues_->Send(std::move(queue), std::move(messages))
                   : Broker::Send(std::move(queue), std::move(messages));
  }
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue,
                                                           ReceiveOptions options) override {
    return queues_ ? queues_->Receive(std::move(queue), options) : Broker::Receive(std::move(queue), options);
  }
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement) override {
    return queues_ ? queues_->Settle(std::move(receipts), settlement)
                   : Broker::Settle(std::move(receipts), settlement);
  }
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue) override {
    return queues_ ? queues_->Info(std::move(queue)) : Broker::Info(std::move(queue));
  }
  QueueAdmin* queue_admin() override { return queues_.get(); }
  StoredEvents* stored_events() override { return stored_.get(); }

  const Caps& caps() const override { return caps_; }

  Awaitable<void> Stop() override {
    co_await commands_.Stop();
    co_await queries_.Stop();
    co_await events_.Stop();
    if (stored_) co_await stored_->Stop();
    if (queues_) co_await queues_->Stop();
  }

 private:
  QueryTopics& TopicsOf(Kind kind) { return kind == Kind::kCommand ? commands_ : queries_; }

  Caps caps_;
  QueryTopics commands_;
  QueryTopics queries_;
  EventTopics events_;
  std::unique_ptr<DurableQueues> queues_;
  std::unique_ptr<StoredTopics> stored_;
};

}  // namespace

std::unique_ptr<Broker> MakeEmbeddedBroker(Executor executor, EmbeddedOptions options) {
  return std::make_unique<EmbeddedBroker>(executor, options, nullptr, nullptr);
}

absl::StatusOr<std::unique_ptr<Broker>> OpenEmbeddedBroker(Executor executor, EmbeddedOptions options,
                                                           QueueOptions queues, StoredOptions stored) {
  queues.max_body = stored.max_body = options.max_body;
  stored.folder = queues.folder;
  stored.vfs = queues.vfs;
  ASSIGN_OR_RETURN(auto disk, StoredTopics::OpenDisk(stored));
  ASSIGN_OR_RETURN(auto opened, DurableQueues::Open(executor, std::move(queues)));
  auto topics = std::make_unique<StoredTopics>(executor, std::move(stored), std::move(disk));
  return std::make_unique<EmbeddedBroker>(executor, options, std::move(opened), std::move(topics));
}

}  // namespace llm_router
