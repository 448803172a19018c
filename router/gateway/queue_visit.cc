#include "router/gateway/queue_visit.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_access.h"
#include "router/gateway/queue_taking.h"

namespace llm_router {
namespace {

std::chrono::seconds VisibilityOf(const kubemq::StreamQueueMessagesRequest& request) {
  constexpr int32_t kDefault = 60;
  return std::chrono::seconds(request.visibilityseconds() == 0 ? kDefault : request.visibilityseconds());
}

TakingOptions TakingOf(const kubemq::StreamQueueMessagesRequest& request) {
  TakingOptions options;
  options.wait = std::chrono::seconds(request.waittimeseconds() == 0 ? 1 : request.waittimeseconds());
  return options;
}

Settlement As(Settlement::Verdict verdict) {
  Settlement settlement;
  settlement.verdict = verdict;
  return settlement;
}

Awaitable<void> NackAll(Broker& broker, std::vector<Receipt> receipts) {
  // Fails only when the broker has given them back already.
  (void)co_await broker.Settle(std::move(receipts), As(Settlement::Verdict::kNack));
}

}  // namespace

std::shared_ptr<QueueVisit> QueueVisit::Begin(KubemqServer& server, KubemqQueues& queues, QueueCaller from,
                                              Answer answer) {
  auto visit = std::make_shared<QueueVisit>(server, queues, std::move(from), std::move(answer));
  visit->task_ = server.tasks().Spawn(Run(visit));
  return visit;
}

QueueVisit::QueueVisit(KubemqServer& server, KubemqQueues& queues, QueueCaller from, Answer answer)
    : server_(server),
      queues_(queues),
      from_(std::move(from)),
      answer_(std::move(answer)),
      changed_(server.loop().executor(), TimePoint::max()) {}

void QueueVisit::Take(Request request) {
  if (over_) return;
  waiting_.push_back(std::move(request));
  changed_.cancel();
}

void QueueVisit::End() {
  if (std::exchange(over_, true)) return;
  answer_ = nullptr;
  waiting_.clear();
  server_.tasks().Cancel(task_);
}

Awaitable<void> QueueVisit::Run(Self self) {
  while (!self->over_ && !co_await Cancelled()) {
    const auto request = co_await self->Next();
    if (self->over_ || co_await Cancelled()) break;
    if (!request) {
      self->TimeIsOver();
      break;
    }
    self->last_.set_requestid(request->requestid());
    self->last_.set_streamrequesttypedata(request->streamrequesttypedata());
    co_await self->Handle(*request);
  }
  self->over_ = true;
  self->answer_ = nullptr;
  if (self->message_ && !self->server_.grace_over())
    self->server_.tasks().Spawn(NackAll(self->server_.broker(), {self->receipt_}));
}

// Nothing: the visibility is over.
Awaitable<std::optional<QueueVisit::Request>> QueueVisit::Next() {
  while (waiting_.empty()) {
    if (message_ && Now() >= changed_.expiry()) co_return std::nullopt;
    (void)co_await changed_.async_wait(kUseTuple);
    if (over_ || co_await Cancelled()) co_return std::nullopt;
  }
  Request request = std::move(waiting_.front());
  waiting_.pop_front();
  co_return request;
}

Awaitable<void> QueueVisit::Handle(const Request& request) {
  switch (request.streamrequesttypedata()) {
    case kubemq::ReceiveMessage:
      co_return co_await Receive(request);
    case kubemq::AckMessage:
      co_return co_await Acknowledge(request);
    case kubemq::RejectMessage:
      co_return co_await Reject(request);
    case kubemq::ModifyVisibility:
      co_return ModifyVisibility(request);
    case kubemq::ResendMessage: {
      if (const auto text = kubemq_check::QueueName(request.channel()); !text.empty())
        co_return Fail(request, text);
      if (!message_) co_return Fail(request, kubemq_text::kNothingToSend);
      kubemq::QueueMessage again = *message_;
      again.set_channel(request.channel());
      co_return co_await SendInstead(request, std::move(again));
    }
    case kubemq::SendModifiedMessage:
      if (!request.has_modifiedmessage()) co_return Fail(request, kubemq_text::kQueueMessage);
      if (!message_) co_return Fail(request, kubemq_text::kNothingToSend);
      co_return co_await SendInstead(request, request.modifiedmessage());
    default:
      Fail(request, kubemq_text::kStreamRequestType);
  }
}

Awaitable<void> QueueVisit::Receive(const Request& request) {
  if (message_) co_return Fail(request, kubemq_text::kAlreadyReceiving);
  if (server_.refusing()) co_return Fail(request, kubemq_text::kNotReady, /*is_last=*/true);
  if (const auto text = kubemq_check::StreamReceive(request); !text.empty()) co_return Fail(request, text);
  if (const absl::Status allowed = CheckAccess(*from_.caller, request); !allowed.ok()) {
    server_.access().NoteDenial(allowed, from_.door, from_.peer);
    co_return Fail(request, DenialText(allowed));
  }
  if (!queues_.StartWaiting()) co_return Fail(request, KubemqQueues::kTooManyWait);
  auto taking = co_await TakeMessages(server_, request.channel(), TakingOf(request));
  queues_.StopWaiting();
  if (over_ || co_await Cancelled()) co_return;
  if (!taking.ok()) co_return Fail(request, MessageOf(taking.status()), /*is_last=*/true);
  if (taking->messages.empty()) co_return Fail(request, kubemq_text::kWaitOver, /*is_last=*/true);
  receipt_ = std::move(taking->hold.LetGo().front());
  message_ = std::move(taking->messages.front());
  Show(VisibilityOf(request));
  Say(request, /*is_last=*/false);
}

void QueueVisit::Show(std::chrono::seconds visibility) { changed_.expires_at(Now() + visibility); }

std::string_view QueueVisit::ReferenceFault(const Request& request, std::string_view nothing) const {
  if (request.refsequence() == 0) return kubemq_text::kAckSequence;
  if (!message_) return nothing;
  return request.refsequence() == message_->attributes().sequence() ? "" : kubemq_text::kAckSequence;
}

Awaitable<absl::Status> QueueVisit::Settle(Settlement::Verdict verdict) {
  absl::Status settled = co_await server_.broker().Settle(std::vector<Receipt>{receipt_}, As(verdict));
  if (settled.ok()) message_.reset();
  co_return settled;
}

Awaitable<void> QueueVisit::Acknowledge(const Request& request) {
  if (const auto text = ReferenceFault(request, kubemq_text::kNothingToAck); !text.empty())
    co_return Fail(request, text);
  const absl::Status settled = co_await Settle(Settlement::Verdict::kAck);
  settled.ok() ? Say(request, /*is_last=*/true) : Fail(request, MessageOf(settled));
}

Awaitable<void> QueueVisit::Reject(const Request& request) {
  if (const auto text = ReferenceFault(request, kubemq_text::kNothingToReject); !text.empty())
    co_return Fail(request, text);
  const absl::Status settled = co_await Settle(Settlement::Verdict::kNack);
  settled.ok() ? Say(request, /*is_last=*/true) : Fail(request, MessageOf(settled));
}

// Sends another message, or this one elsewhere, in place of the one that the caller has.
Awaitable<void> QueueVisit::SendInstead(const Request& request, kubemq::QueueMessage message) {
  if (message.clientid().empty()) message.set_clientid(request.clientid());
  const auto results = co_await queues_.Send(from_, std::vector<kubemq::QueueMessage>{std::move(message)});
  if (results.front().iserror()) co_return Fail(request, results.front().error());
  const absl::Status settled = co_await Settle(Settlement::Verdict::kAck);
  settled.ok() ? Say(request, /*is_last=*/true) : Fail(request, MessageOf(settled));
}

void QueueVisit::ModifyVisibility(const Request& request) {
  if (const auto text = kubemq_check::Visibility(request); !text.empty()) return Fail(request, text);
  if (!message_) return Fail(request, kubemq_text::kNothingToAck);
  Show(VisibilityOf(request));
  Say(request, /*is_last=*/false);
}

void QueueVisit::TimeIsOver() { Fail(last_, kubemq_text::kVisibilityOver, /*is_last=*/true); }

void QueueVisit::Say(const Request& request, bool is_last) {
  Response response;
  response.set_requestid(request.requestid());
  response.set_streamrequesttypedata(request.streamrequesttypedata());
  if (request.streamrequesttypedata() == kubemq::ReceiveMessage && message_)
    *response.mutable_message() = *message_;
  Deliver(std::move(response), is_last);
}

void QueueVisit::Fail(const Request& request, std::string_view text, bool is_last) {
  Response response;
  response.set_requestid(request.requestid());
  response.set_streamrequesttypedata(request.streamrequesttypedata());
  response.set_iserror(true);
  response.set_error(std::string(text));
  Deliver(std::move(response), is_last);
}

void QueueVisit::Deliver(Response response, bool is_last) {
  if (over_) return;
  over_ = is_last;
  const Answer answer = answer_;  // which may end this visit
  answer(std::move(response), is_last);
}

}  // namespace llm_router
