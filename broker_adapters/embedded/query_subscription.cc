#include "broker_adapters/embedded/query_subscription.h"

#include "broker_adapters/embedded/query_topics.h"

namespace llm_router {
namespace {

class QuerySubscription : public Subscription {
 public:
  explicit QuerySubscription(std::shared_ptr<QuerySubscriber> subscriber)
      : subscriber_(std::move(subscriber)) {}
  ~QuerySubscription() override {
    if (subscriber_->topics != nullptr) subscriber_->topics->End(*subscriber_);
  }

  Awaitable<void> Drain() override { return DrainSubscriber(subscriber_); }

 private:
  // Holds the subscriber, not the handle: that may be destroyed meanwhile.
  static Awaitable<void> DrainSubscriber(std::shared_ptr<QuerySubscriber> subscriber) {
    if (subscriber->topics != nullptr) subscriber->topics->Leave(*subscriber);
    while (subscriber->outstanding > 0 && !co_await Cancelled()) {
      (void)co_await subscriber->idle.async_wait(kUseTuple);
    }
  }

  const std::shared_ptr<QuerySubscriber> subscriber_;
};

}  // namespace

SubscriptionPtr MakeQuerySubscription(std::shared_ptr<QuerySubscriber> subscriber) {
  return std::make_unique<QuerySubscription>(std::move(subscriber));
}

}  // namespace llm_router
