#include "router/gateway/kubemq_grpc_upstream.h"

#include <iterator>
#include <utility>

#include "proto/kubemq_queue_text.h"

namespace llm_router {
namespace {

constexpr int kMostWaiting = 4'096;  // messages
constexpr size_t kMostWaitingBytes = size_t{4} * 1024 * 1024;

}  // namespace

bool UpstreamStream::HasRoom() const {
  return waiting_messages_ < kMostWaiting && waiting_bytes_ < kMostWaitingBytes;
}

void UpstreamStream::Take(kubemq::QueuesUpstreamRequest request) {
  const int messages = request.messages_size();
  if (messages == 0 || messages > KubemqQueues::kMostMessages) {
    kubemq::QueuesUpstreamResponse response;
    response.set_refrequestid(request.requestid());
    response.set_iserror(true);
    response.set_error(
        std::string(messages == 0 ? kubemq_text::kNoMessages : KubemqQueues::kTooManyMessages));
    return Push(std::move(response));
  }
  waiting_messages_ += messages;
  waiting_bytes_ += request.ByteSizeLong();
  waiting_.push_back(std::move(request));
  if (std::exchange(sending_, true)) return;
  state().tasks.Spawn(SendAll(std::static_pointer_cast<UpstreamStream>(shared_from_this())));
}

// What the broker has begun to keep is kept, also for a sender that went away; the rest is not.
void UpstreamStream::LetGo() { waiting_.clear(); }

Awaitable<void> UpstreamStream::SendAll(std::shared_ptr<UpstreamStream> self) {
  while (!self->waiting_.empty()) {
    Requests requests = std::exchange(self->waiting_, {});
    self->waiting_messages_ = 0;
    self->waiting_bytes_ = 0;
    self->Go();
    std::vector<kubemq::QueueMessage> messages;
    for (kubemq::QueuesUpstreamRequest& request : requests)
      std::move(request.mutable_messages()->begin(), request.mutable_messages()->end(),
                std::back_inserter(messages));
    auto results = co_await self->state().queues.Send(self->From(), std::move(messages));
    self->Answer(requests, std::move(results));
  }
  self->sending_ = false;
  self->Go();
}

void UpstreamStream::Answer(Requests& requests, std::vector<kubemq::SendQueueMessageResult> results) {
  auto result = results.begin();
  for (const kubemq::QueuesUpstreamRequest& request : requests) {
    kubemq::QueuesUpstreamResponse response;
    response.set_refrequestid(request.requestid());
    for (int i = 0; i < request.messages_size(); ++i, ++result) *response.add_results() = std::move(*result);
    Push(std::move(response));
  }
}

}  // namespace llm_router
