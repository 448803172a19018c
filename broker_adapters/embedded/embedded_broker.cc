#include "broker_adapters/embedded/embedded_broker.h"

#include <utility>

#include "broker_adapters/embedded/event_topics.h"
#include "broker_adapters/embedded/query_topics.h"

namespace llm_router {
namespace {

class EmbeddedBroker : public Broker {
 public:
  EmbeddedBroker(Executor executor, const EmbeddedOptions& options)
      : commands_(executor, options), queries_(executor, options), events_(executor, options) {
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

  const Caps& caps() const override { return caps_; }

  Awaitable<void> Stop() override {
    co_await commands_.Stop();
    co_await queries_.Stop();
    co_await events_.Stop();
  }

 private:
  QueryTopics& TopicsOf(Kind kind) { return kind == Kind::kCommand ? commands_ : queries_; }

  Caps caps_;
  QueryTopics commands_;
  QueryTopics queries_;
  EventTopics events_;
};

}  // namespace

std::unique_ptr<Broker> MakeEmbeddedBroker(Executor executor, EmbeddedOptions options) {
  return std::make_unique<EmbeddedBroker>(executor, options);
}

}  // namespace llm_router
