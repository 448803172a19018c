#include "router/gateway/kubemq_queues.h"

#include <map>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "broker_adapters/kubemq/queue_convert.h"
#include "proto/fault.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_access.h"
#include "router/gateway/queue_taking.h"

namespace llm_router {
namespace {

constexpr Milliseconds kLookAgain{50};
constexpr std::string_view kTooManyUnderWay = "too many messages are under way: send again later";

template <class Response>
void Fail(Response& response, std::string_view text) {
  response.set_iserror(true);
  response.set_error(std::string(text));
}

absl::Status NoQueueAdmin(std::string_view what) {
  return MakeFault(Fault::kNotSupported,
                   std::string("the message broker behind this server can't ").append(what));
}

std::chrono::seconds WaitOf(int32_t seconds) { return std::chrono::seconds(seconds == 0 ? 1 : seconds); }

struct Parcel {
  std::vector<Outgoing> messages;
  std::vector<size_t> places;  // of their results
};

}  // namespace

std::string KubemqQueues::Refusal(const QueueCaller& from, const kubemq::QueueMessage& message) const {
  if (server_.refusing()) return std::string(kubemq_text::kNotReady);
  if (const auto text = kubemq_check::QueueMessage(message); !text.empty()) return std::string(text);
  if (message.body().size() > server_.options().max_body)
    return "the message's body is larger than limits.body allows: send less, or raise that setting";
  const absl::Status allowed = CheckAccess(*from.caller, message);
  if (allowed.ok()) return {};
  server_.access().NoteDenial(allowed, from.door, from.peer);
  return DenialText(allowed);
}

Awaitable<std::vector<kubemq::SendQueueMessageResult>> KubemqQueues::Send(
    QueueCaller from, std::vector<kubemq::QueueMessage> messages) {
  Results results(messages.size());
  std::map<std::string, Parcel> parcels;
  size_t bytes = 0;
  for (size_t i = 0; i < messages.size(); ++i) {
    kubemq::QueueMessage& message = messages[i];
    if (message.messageid().empty()) message.set_messageid(NewId());
    results[i].set_messageid(message.messageid());
    if (const std::string text = Refusal(from, message); !text.empty()) {
      Fail(results[i], text);
      continue;
    }
    bytes += message.body().size();
    Parcel& parcel = parcels[message.channel()];
    StampQueueMessage(*from.caller, parcel.messages.emplace_back(OutgoingFromWire(message)));
    parcel.places.push_back(i);
  }
  if (!server_.Enter(bytes)) {
    for (const auto& [queue, parcel] : parcels) {
      for (const size_t place : parcel.places) {
        Fail(results[place], kTooManyUnderWay);
        results[place].set_reftopic(std::string(RowOf(Fault::kOverloaded).name));
      }
    }
    co_return results;
  }
  for (auto& [queue, parcel] : parcels)
    co_await Keep(queue, std::move(parcel.messages), std::move(parcel.places), results);
  server_.Leave(bytes);
  co_return results;
}

Awaitable<void> KubemqQueues::Keep(std::string queue, std::vector<Outgoing> messages,
                                   std::vector<size_t> places, Results& results) {
  for (const Outgoing& outgoing : messages)
    server_.channels().Sent(ChannelType::kQueues, queue, outgoing.message.body.size());
  const auto kept = co_await server_.broker().Send(queue, std::move(messages));
  for (size_t i = 0; i < places.size(); ++i) {
    if (kept.ok()) {
      results[places[i]] = SendResultToWire((*kept)[i]);
    } else {
      SendResult refused;
      refused.id = results[places[i]].messageid();
      refused.status = kept.status();
      results[places[i]] = SendResultToWire(refused);
    }
  }
}

std::string_view KubemqQueues::CheckBatch(const kubemq::QueueMessagesBatchRequest& batch) {
  if (batch.messages().empty()) return kubemq_text::kEmptyBatch;
  return batch.messages_size() > kMostMessages ? kTooManyMessages : std::string_view();
}

Awaitable<kubemq::QueueMessagesBatchResponse> KubemqQueues::SendBatch(
    QueueCaller from, kubemq::QueueMessagesBatchRequest batch) {
  kubemq::QueueMessagesBatchResponse response;
  response.set_batchid(batch.batchid());
  std::vector<kubemq::QueueMessage> messages(std::make_move_iterator(batch.mutable_messages()->begin()),
                                             std::make_move_iterator(batch.mutable_messages()->end()));
  auto results = co_await Send(std::move(from), std::move(messages));
  for (kubemq::SendQueueMessageResult& result : results) {
    if (result.iserror()) response.set_haveerrors(true);
    *response.add_results() = std::move(result);
  }
  co_return response;
}

bool KubemqQueues::StartWaiting() {
  if (waiting_ >= kMostWaiting) return false;
  ++waiting_;
  return true;
}

Awaitable<absl::StatusOr<kubemq::ReceiveQueueMessagesResponse>> KubemqQueues::Receive(
    kubemq::ReceiveQueueMessagesRequest request, QueueHold& hold) {
  kubemq::ReceiveQueueMessagesResponse response;
  response.set_requestid(request.requestid());
  response.set_ispeak(request.ispeak());
  if (const auto text = kubemq_check::Receive(request); !text.empty()) {
    Fail(response, text);
    co_return response;
  }
  if (!StartWaiting()) {
    Fail(response, kTooManyWait);
    co_return response;
  }
  const absl::Status taken =
      request.ispeak() ? co_await Peek(request, response) : co_await Take(request, hold, response);
  StopWaiting();
  if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
  if (!taken.ok()) Fail(response, MessageOf(taken));
  response.set_messagesreceived(response.messages_size());
  co_return response;
}

Awaitable<absl::Status> KubemqQueues::Take(const kubemq::ReceiveQueueMessagesRequest& request,
                                           QueueHold& hold, kubemq::ReceiveQueueMessagesResponse& response) {
  TakingOptions options;
  options.max = static_cast<size_t>(request.maxnumberofmessages());
  options.wait = WaitOf(request.waittimeseconds());
  auto taking = co_await TakeMessages(server_, request.channel(), options);
  if (!taking.ok()) co_return taking.status();
  for (kubemq::QueueMessage& message : taking->messages) *response.add_messages() = std::move(message);
  for (Receipt& receipt : taking->hold.LetGo()) hold.Take(std::move(receipt));
  co_return absl::OkStatus();
}

// As soon as there is something to see. Nobody else is kept from it meanwhile.
Awaitable<absl::Status> KubemqQueues::Peek(const kubemq::ReceiveQueueMessagesRequest& request,
                                           kubemq::ReceiveQueueMessagesResponse& response) {
  QueueAdmin* const admin = server_.broker().queue_admin();
  if (admin == nullptr) co_return NoQueueAdmin("peek into queues: receive the messages instead");
  const TimePoint until = Now() + WaitOf(request.waittimeseconds());
  while (true) {
    CO_ASSIGN_OR_RETURN(
        const auto seen,
        co_await admin->Peek(request.channel(), static_cast<size_t>(request.maxnumberofmessages())));
    size_t bytes = 0;
    for (const Delivery& delivery : seen) {
      kubemq::QueueMessage message = QueueMessageToWire(delivery);
      bytes += message.ByteSizeLong();
      if (response.messages_size() > 0 && bytes > kMostAnswerBytes) break;
      *response.add_messages() = std::move(message);
    }
    if (!seen.empty() || Now() >= until || !co_await Sleep(std::min(until, Now() + kLookAgain))) break;
  }
  co_return absl::OkStatus();
}

// Returns as soon as the queue is empty: WaitTimeSeconds has no use here.
Awaitable<kubemq::AckAllQueueMessagesResponse> KubemqQueues::AckAll(
    kubemq::AckAllQueueMessagesRequest request) {
  kubemq::AckAllQueueMessagesResponse response;
  response.set_requestid(request.requestid());
  if (const auto text = kubemq_check::AckAll(request); !text.empty()) {
    Fail(response, text);
    co_return response;
  }
  QueueAdmin* const admin = server_.broker().queue_admin();
  absl::StatusOr<uint64_t> purged = NoQueueAdmin("purge queues: receive the messages instead");
  if (admin != nullptr) purged = co_await admin->Purge(request.channel());
  if (purged.ok()) {
    response.set_affectedmessages(*purged);
  } else {
    Fail(response, MessageOf(purged.status()));
  }
  co_return response;
}

Awaitable<absl::StatusOr<kubemq::QueuesInfoResponse>> KubemqQueues::Info(kubemq::QueuesInfoRequest request) {
  QueueAdmin* const admin = server_.broker().queue_admin();
  if (admin == nullptr) co_return NoQueueAdmin("list queues: ask the broker itself");
  CO_ASSIGN_OR_RETURN(const auto all, co_await admin->Queues());
  const auto names = QueueNamesOf(request);
  kubemq::QueuesInfoResponse response;
  response.set_refrequestid(request.requestid());
  kubemq::QueuesInfo& info = *response.mutable_info();
  for (const QueueTotals& totals : all) {
    if (!names.empty() && !names.contains(totals.name)) continue;
    kubemq::QueueInfo& queue = *info.add_queues();
    const auto left = static_cast<int64_t>(totals.waiting + totals.leased.value_or(0));
    const auto sent = static_cast<int64_t>(totals.last_sequence);
    queue.set_name(totals.name);
    queue.set_messages(left);
    queue.set_bytes(static_cast<int64_t>(totals.bytes));
    queue.set_firstsequence(static_cast<int64_t>(totals.first_sequence));
    queue.set_lastsequence(sent);
    queue.set_sent(sent);
    queue.set_delivered(std::max<int64_t>(sent - left, 0));
    queue.set_waiting(left);
    queue.set_subscribers(server_.channels().Subscribers(ChannelType::kQueues, totals.name));
    info.set_sent(info.sent() + queue.sent());
    info.set_delivered(info.delivered() + queue.delivered());
    info.set_waiting(info.waiting() + queue.waiting());
  }
  info.set_totalqueue(info.queues_size());
  co_return response;
}

}  // namespace llm_router
