// WatchedBroker: a broker with an eye on its queue verbs: what was settled, how much was asked for, and
// failures that a test orders.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/broker.h"
#include "tests/contract/signal.h"

namespace llm_router::test {

class WatchedBroker final : public Broker {
 public:
  WatchedBroker(std::unique_ptr<Broker> real, std::shared_ptr<Signal> changed)
      : real_(std::move(real)), changed_(std::move(changed)) {}

  Awaitable<absl::StatusOr<Reply>> Request(Query query) override { return real_->Request(std::move(query)); }
  Awaitable<absl::StatusOr<SubscriptionPtr>> Serve(ServeOptions options, QueryHandler handler) override {
    return real_->Serve(std::move(options), std::move(handler));
  }
  absl::Status Publish(Message event) override { return real_->Publish(std::move(event)); }
  Awaitable<absl::StatusOr<SubscriptionPtr>> Subscribe(std::string pattern, std::string group,
                                                       EventHandler handler) override {
    return real_->Subscribe(std::move(pattern), std::move(group), std::move(handler));
  }
  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue,
                                                          std::vector<Outgoing> messages) override {
    return real_->Send(std::move(queue), std::move(messages));
  }
  Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue,
                                                           ReceiveOptions options) override {
    most_asked = std::max(most_asked, options.max);
    ++receiving;
    most_receiving = std::max(most_receiving, receiving);
    auto got = co_await ReceiveOrFail(std::move(queue), options);
    --receiving;
    changed_->Notify();
    co_return got;
  }
  Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement) override {
    if (!settle_failures.empty()) {
      absl::Status failure = std::move(settle_failures.front());
      settle_failures.pop_front();
      co_return failure;
    }
    const size_t count = receipts.size();
    absl::Status status = co_await real_->Settle(std::move(receipts), settlement);
    if (status.ok()) settled.insert(settled.end(), count, settlement);
    changed_->Notify();
    co_return status;
  }
  Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue) override {
    return real_->Info(std::move(queue));
  }
  const Caps& caps() const override { return real_->caps(); }
  Awaitable<void> Stop() override { return real_->Stop(); }

  size_t Count(Settlement::Verdict verdict) const {
    return static_cast<size_t>(std::ranges::count(settled, verdict, &Settlement::verdict));
  }

  std::vector<Settlement> settled;  // one per message
  std::deque<absl::Status> settle_failures, receive_failures;
  size_t most_asked = 0;
  int receiving = 0;
  int most_receiving = 0;

 private:
  Awaitable<absl::StatusOr<std::vector<Delivery>>> ReceiveOrFail(std::string queue, ReceiveOptions options) {
    if (receive_failures.empty()) co_return co_await real_->Receive(std::move(queue), options);
    absl::Status failure = std::move(receive_failures.front());
    receive_failures.pop_front();
    co_return failure;
  }

  std::unique_ptr<Broker> real_;
  std::shared_ptr<Signal> changed_;  // shared with the rig
};

}  // namespace llm_router::test
