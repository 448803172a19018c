// A broker that loses events on stream channels when told to; all else is the embedded broker's.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "broker_adapters/broker.h"

namespace llm_router {

class LossyBroker final : public Broker {
 public:
  explicit LossyBroker(std::unique_ptr<Broker> real) : real_(std::move(real)) {}

  // Of every so many chunks one is lost; 0: none.
  void LoseEvery(int count) { lose_every_ = count; }

  Awaitable<absl::StatusOr<Reply>> Request(Query query) override { return real_->Request(std::move(query)); }
  Awaitable<absl::StatusOr<SubscriptionPtr>> Serve(ServeOptions options, QueryHandler handler) override {
    return real_->Serve(std::move(options), std::move(handler));
  }
  absl::Status Publish(Message event) override {
    const bool is_chunk = event.channel.starts_with("stream.");
    if (is_chunk && lose_every_ > 0 && ++chunks_ % lose_every_ == 0) return absl::OkStatus();
    return real_->Publish(std::move(event));
  }
  Awaitable<absl::StatusOr<SubscriptionPtr>> Subscribe(std::string pattern, std::string group,
                                                       EventHandler handler) override {
    return real_->Subscribe(std::move(pattern), std::move(group), std::move(handler));
  }
  const Caps& caps() const override { return real_->caps(); }
  Awaitable<void> Stop() override { return real_->Stop(); }

 private:
  const std::unique_ptr<Broker> real_;
  int lose_every_ = 0;
  int chunks_ = 0;
};

}  // namespace llm_router
