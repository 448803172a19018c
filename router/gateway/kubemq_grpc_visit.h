// One caller's StreamQueueMessage at the KubeMQ door. Ends with OK after its last answer, or when its caller
// closes its half.
#pragma once

#include <memory>

#include "router/gateway/kubemq_grpc_exchange.h"
#include "router/gateway/queue_visit.h"

namespace llm_router {

class VisitStream final
    : public ExchangeStream<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse> {
 public:
  using ExchangeStream::ExchangeStream;

 private:
  void Take(kubemq::StreamQueueMessagesRequest request) override;
  bool HasRoom() const override { return !visit_ || visit_->HasRoom(); }
  void HalfClosed() override { LetGo(); }
  bool IsIdle() const override { return !visit_ || visit_->is_over(); }
  void LetGo() override;

  std::shared_ptr<QueueVisit> visit_;  // shared with its coroutine
};

}  // namespace llm_router
