// KubemqQueues: what a KubeMQ server does with the queue calls that have one answer, whatever wire they came
// by: checks, stamps, bounds, and the broker's queue verbs.
//
// One a door, which owns it; loop thread only. Who calls has checked access where a refusal is an answer of
// its own (kubemq_access.h); a message that may not be sent is refused in its result.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/gateway/kubemq_server.h"
#include "router/gateway/queue_hold.h"

namespace llm_router {

// Who calls, and by which way, for the log.
struct QueueCaller {
  QueueCaller(CallerPtr its_caller, std::string_view its_door, std::string its_peer)
      : caller(std::move(its_caller)), door(its_door), peer(std::move(its_peer)) {}

  CallerPtr caller;
  std::string_view door;
  std::string peer;
};

class KubemqQueues {
 public:
  static constexpr int kMostMessages = 20'000;  // of one batch
  static constexpr std::string_view kTooManyMessages =
      "a batch may have 20000 messages: send this one as several smaller ones";
  static constexpr std::string_view kTooManyWait =
      "too many calls wait for messages: wait with fewer connections, or try again later";
  static constexpr int kMostWaiting = 10'000;  // calls that wait for messages

  explicit KubemqQueues(KubemqServer& server) : server_(server) {}

  // Puts messages into their queues; one result a message, in order. They are kept, as the broker's Caps
  // say, when it returns.
  Awaitable<std::vector<kubemq::SendQueueMessageResult>> Send(QueueCaller from,
                                                              std::vector<kubemq::QueueMessage> messages);

  // What stands against a batch as a whole: the text, or nothing.
  static std::string_view CheckBatch(const kubemq::QueueMessagesBatchRequest& batch);
  Awaitable<kubemq::QueueMessagesBatchResponse> SendBatch(QueueCaller from,
                                                          kubemq::QueueMessagesBatchRequest batch);

  // `hold` gets what was taken: acknowledge it when the answer is handed over. Failed only when cancelled.
  Awaitable<absl::StatusOr<kubemq::ReceiveQueueMessagesResponse>> Receive(
      kubemq::ReceiveQueueMessagesRequest request, QueueHold& hold);

  Awaitable<kubemq::AckAllQueueMessagesResponse> AckAll(kubemq::AckAllQueueMessagesRequest request);

  // Fault not_supported where the broker can't tell.
  Awaitable<absl::StatusOr<kubemq::QueuesInfoResponse>> Info(kubemq::QueuesInfoRequest request);

  // One more call that waits for messages, unless there are too many; then StopWaiting follows.
  bool StartWaiting();
  void StopWaiting() { --waiting_; }

 private:
  using Results = std::vector<kubemq::SendQueueMessageResult>;

  std::string Refusal(const QueueCaller& from, const kubemq::QueueMessage& message) const;
  Awaitable<void> Keep(std::string queue, std::vector<Outgoing> messages, std::vector<size_t> places,
                       Results& results);
  Awaitable<absl::Status> Take(const kubemq::ReceiveQueueMessagesRequest& request, QueueHold& hold,
                               kubemq::ReceiveQueueMessagesResponse& response);
  Awaitable<absl::Status> Peek(const kubemq::ReceiveQueueMessagesRequest& request,
                               kubemq::ReceiveQueueMessagesResponse& response);

  KubemqServer& server_;
  int waiting_ = 0;
};

}  // namespace llm_router
