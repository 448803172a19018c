// One sender's QueuesUpstream at the KubeMQ door. Messages are kept in the order they came: while the broker
// keeps some, what comes meanwhile waits, and goes with the next ones.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "router/gateway/kubemq_grpc_exchange.h"

namespace llm_router {

class UpstreamStream final
    : public ExchangeStream<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse> {
 public:
  using ExchangeStream::ExchangeStream;

 private:
  using Requests = std::deque<kubemq::QueuesUpstreamRequest>;

  void Take(kubemq::QueuesUpstreamRequest request) override;
  bool HasRoom() const override;
  void HalfClosed() override {}
  bool IsIdle() const override { return !sending_; }
  void LetGo() override;

  static Awaitable<void> SendAll(std::shared_ptr<UpstreamStream> self);
  void Answer(Requests& requests, std::vector<kubemq::SendQueueMessageResult> results);

  Requests waiting_;
  size_t waiting_bytes_ = 0;
  int waiting_messages_ = 0;
  bool sending_ = false;
};

}  // namespace llm_router
