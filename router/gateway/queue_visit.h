// QueueVisit: one StreamQueueMessage, whatever wire it came by: a caller takes one message of a queue, and
// has its visibility's time to say what becomes of it.
//
//   visit = QueueVisit::Begin(server, queues, caller, answer);   // answers from now on
//   visit->Take(request);                                        // one after the other
//   visit->End();                                                // the caller went away
//
// Requests are handled in order. What the caller has when its time is over, or when it goes, is nacked: it
// comes again, counted. Loop thread only. Shared by the stream and by the visit's own coroutine, which ends
// soon after `End`, after the last answer, or with the server.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "router/gateway/kubemq_queues.h"

namespace llm_router {

class QueueVisit : public std::enable_shared_from_this<QueueVisit> {
 public:
  using Request = kubemq::StreamQueueMessagesRequest;
  using Response = kubemq::StreamQueueMessagesResponse;
  // `is_last`: nothing follows, and the stream is to end.
  using Answer = std::function<void(Response response, bool is_last)>;

  static std::shared_ptr<QueueVisit> Begin(KubemqServer& server, KubemqQueues& queues, QueueCaller from,
                                           Answer answer);
  QueueVisit(KubemqServer& server, KubemqQueues& queues, QueueCaller from, Answer answer);

  void Take(Request request);
  // Whether it may be given more.
  bool HasRoom() const { return waiting_.size() < 16; }
  // No answer comes after it.
  void End();
  bool is_over() const { return over_; }

 private:
  using Self = std::shared_ptr<QueueVisit>;

  static Awaitable<void> Run(Self self);
  Awaitable<std::optional<Request>> Next();
  Awaitable<void> Handle(const Request& request);
  Awaitable<void> Receive(const Request& request);
  Awaitable<void> Acknowledge(const Request& request);
  Awaitable<void> Reject(const Request& request);
  Awaitable<void> SendInstead(const Request& request, kubemq::QueueMessage message);
  void ModifyVisibility(const Request& request);
  void TimeIsOver();
  std::string_view ReferenceFault(const Request& request, std::string_view nothing) const;
  Awaitable<absl::Status> Settle(Settlement::Verdict verdict);
  void Show(std::chrono::seconds visibility);

  void Say(const Request& request, bool is_last);
  void Fail(const Request& request, std::string_view text, bool is_last = false);
  void Deliver(Response response, bool is_last);

  KubemqServer& server_;
  KubemqQueues& queues_;
  const QueueCaller from_;
  Answer answer_;
  std::deque<Request> waiting_;
  Timer changed_;  // cancelled when there is a request; runs out with the visibility
  std::optional<kubemq::QueueMessage> message_;
  Receipt receipt_;  // of the message
  Request last_;     // whose id and type the end of the visibility is told by
  TaskGroup::TaskId task_ = 0;
  bool over_ = false;
};

}  // namespace llm_router
