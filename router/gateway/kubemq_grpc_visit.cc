#include "router/gateway/kubemq_grpc_visit.h"

#include <utility>

namespace llm_router {

void VisitStream::Take(kubemq::StreamQueueMessagesRequest request) {
  if (!visit_) {
    // The visit is let go before this stream is.
    visit_ = QueueVisit::Begin(*state().server, state().queues, From(),
                               [this](kubemq::StreamQueueMessagesResponse response, bool is_last) {
                                 Push(std::move(response));
                                 is_last ? CloseHalf() : Go();
                               });
  }
  visit_->Take(std::move(request));
}

void VisitStream::LetGo() {
  if (visit_) visit_->End();
}

}  // namespace llm_router
