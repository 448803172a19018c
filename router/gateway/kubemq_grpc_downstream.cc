#include "router/gateway/kubemq_grpc_downstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/fault.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"
#include "router/gateway/downstream_settling.h"
#include "router/gateway/kubemq_grpc_admit.h"

namespace llm_router {
namespace {

constexpr size_t kMostGets = 100;        // that wait, of one stream
constexpr size_t kMostSettling = 1'000;  // requests under way
constexpr int32_t kMostOfOne = 10'000;   // messages of one transaction
constexpr Milliseconds kLeastWait{1'000};
constexpr Milliseconds kMostWait = std::chrono::seconds(kubemq_check::kMostWaitSeconds);

constexpr std::string_view kTooManyGets =
    "too many Gets wait on this stream: wait for answers, or open another stream";
constexpr std::string_view kTooMuchUnsettled =
    "too much of what this stream received is not settled: settle it first";

TakingOptions TakingOf(const kubemq::QueuesDownstreamRequest& request) {
  TakingOptions options;
  options.at_first = MetadataOr(request, kubemq_text::kAnswer) == kubemq_text::kAnswerFirst;
  const int32_t max = request.maxitems() <= 0 ? kMostOfOne : std::min(request.maxitems(), kMostOfOne);
  options.max = static_cast<size_t>(max);
  const Milliseconds least = options.at_first ? Milliseconds(0) : kLeastWait;
  options.wait = std::clamp(Milliseconds(request.waittimeout()), least, kMostWait);
  return options;
}

kubemq::QueuesDownstreamResponse ResponseTo(const kubemq::QueuesDownstreamRequest& request) {
  kubemq::QueuesDownstreamResponse response;
  response.set_refrequestid(request.requestid());
  response.set_requesttypedata(request.requesttypedata());
  response.set_transactionid(request.reftransactionid());
  return response;
}

std::vector<Receipt> ReceiptsOf(const std::vector<LeasedMessage>& messages) {
  std::vector<Receipt> receipts;
  for (const LeasedMessage& leased : messages) receipts.push_back(leased.receipt);
  return receipts;
}

}  // namespace

bool DownstreamStream::HasRoom() const { return settling_.size() + offsets_asked_.size() < kMostSettling; }

void DownstreamStream::Take(Request request) {
  const SettlingRow* const settling = SettlingOf(request);
  if (request.requesttypedata() == kubemq::Get) {
    StartGet(std::move(request));
  } else if (settling != nullptr) {
    StartSettling(std::move(request));
  } else if (request.requesttypedata() == kubemq::ActiveOffsets) {
    offsets_asked_.emplace_back(next_settling_, std::move(request));
    ShowOffsetsDue();
  } else {
    request.set_requesttypedata(kubemq::PollRequestTypeUnknown);
    Fail(request, kubemq_text::kRequestUnknown);
  }
}

void DownstreamStream::Fail(const Request& request, std::string_view text, Fault fault) {
  Response response = ResponseTo(request);
  response.set_iserror(true);
  response.set_error(std::string(text));
  (*response.mutable_metadata())[std::string(kubemq_text::kFaultTag)] = std::string(RowOf(fault).name);
  Push(std::move(response));
}

void DownstreamStream::StartGet(Request request) {
  request.set_reftransactionid(NewUuid());
  if (state().server->refusing()) return Fail(request, kubemq_text::kNotReady, Fault::kShuttingDown);
  if (const auto text = kubemq_check::Get(request); !text.empty()) return Fail(request, text);
  if (const auto allowed = CheckNoted(state(), *caller, request, peer); !allowed.ok())
    return Fail(request, DenialText(allowed), FaultOf(allowed));
  if (!transactions_.HasRoom()) return Fail(request, kTooMuchUnsettled, Fault::kOverloaded);
  if (gets_.size() >= kMostGets) return Fail(request, kTooManyGets, Fault::kOverloaded);
  if (!state().queues.StartWaiting()) return Fail(request, KubemqQueues::kTooManyWait, Fault::kOverloaded);
  const uint64_t number = next_get_++;
  Waiting& waiting = gets_[number];
  waiting.request_id = request.requestid();
  waiting.task = state().tasks.Spawn(
      Get(std::static_pointer_cast<DownstreamStream>(shared_from_this()), std::move(request), number));
}

Awaitable<void> DownstreamStream::Get(Self self, Request request, uint64_t number) {
  auto taking = co_await TakeMessages(*self->state().server, request.channel(), TakingOf(request));
  self->state().queues.StopWaiting();
  self->gets_.erase(number);
  // What was taken for a stream that is over goes back with `taking`.
  if (!self->ended() && !self->half_closed() && !co_await Cancelled()) {
    if (taking.ok()) {
      self->Deliver(request, *std::move(taking));
    } else {
      self->Fail(request, MessageOf(taking.status()), FaultOf(taking.status()));
    }
  }
  self->Go();
}

void DownstreamStream::Deliver(const Request& request, Taking taking) {
  Response response = ResponseTo(request);
  WhenWritten when_written;
  if (request.autoack()) {
    // Shared, as what a std::function holds must be.
    const auto hold = std::make_shared<QueueHold>(std::move(taking.hold));
    when_written = [hold](bool handed_over) { handed_over ? hold->Acknowledge() : hold->Release(); };
  } else if (!taking.messages.empty()) {
    response.set_transactionid(transactions_.Open(taking.messages, taking.hold.LetGo()));
  }
  for (kubemq::QueueMessage& message : taking.messages) *response.add_messages() = std::move(message);
  Push(std::move(response), std::move(when_written));
}

void DownstreamStream::GiveUp(std::string_view request_id) {
  if (request_id.empty()) return;
  for (const auto& [number, waiting] : gets_) {
    if (waiting.request_id == request_id) state().tasks.Cancel(waiting.task);
  }
}

void DownstreamStream::StartSettling(Request request) {
  const SettlingRow& row = *SettlingOf(request);
  const std::string& id = request.reftransactionid();
  if (!transactions_.Holds(id)) {
    if (row.deed != Deed::kClose) return Fail(request, kubemq_text::kNoTransaction);
    // Several SDKs close what was never open.
    GiveUp(MetadataOr(request, kubemq_text::kGet));
    if (Asks(request, kubemq_text::kConfirm)) Push(ResponseTo(request));
    return;
  }
  if (const auto text = SettlingFault(row, request); !text.empty()) return Fail(request, text);
  if (const auto allowed = CheckNoted(state(), *caller, request, peer); !allowed.ok())
    return Fail(request, DenialText(allowed), FaultOf(allowed));
  const auto& sequences = request.sequencerange();
  QueueTransactions::Taken taken;
  if (row.is_range) {
    taken = transactions_.Take(id, std::span(sequences.data(), static_cast<size_t>(sequences.size())));
  } else {
    taken.messages = transactions_.TakeAll(id);
  }
  const uint64_t number = next_settling_++;
  settling_.insert(number);
  state().tasks.Spawn(Settle(std::static_pointer_cast<DownstreamStream>(shared_from_this()),
                             std::move(request), std::move(taken), number));
}

Awaitable<void> DownstreamStream::Settle(Self self, Request request, QueueTransactions::Taken taken,
                                         uint64_t number) {
  const SettlingRow& row = *SettlingOf(request);
  absl::Status settled;
  if (row.deed == Deed::kRequeue) {
    settled = co_await self->Requeue(request, taken.messages);
  } else if (!taken.messages.empty()) {
    settled = co_await self->SettleAtBroker(request, taken.messages);
  }
  if (!settled.ok()) {
    self->PutBack(request.reftransactionid(), std::move(taken.messages));
    self->Fail(request, MessageOf(settled), FaultOf(settled));
  } else if (taken.unknown) {
    self->Fail(request, fmt::format("{}{}", row.unknown, *taken.unknown));
  } else if (Asks(request, kubemq_text::kConfirm)) {
    self->Push(ResponseTo(request));
  }
  self->SettlingDone(number);
  self->Go();
}

void DownstreamStream::SettlingDone(uint64_t number) {
  settling_.erase(number);
  ShowOffsetsDue();
}

void DownstreamStream::ShowOffsetsDue() {
  while (!offsets_asked_.empty() &&
         (settling_.empty() || *settling_.begin() >= offsets_asked_.front().first)) {
    const Request request = std::move(offsets_asked_.front().second);
    offsets_asked_.pop_front();
    ShowOffsets(request);
  }
}

Awaitable<absl::Status> DownstreamStream::SettleAtBroker(Request request,
                                                         std::vector<LeasedMessage>& messages) {
  const Settlement settlement = SettlementOf(*SettlingOf(request), request);
  co_return co_await state().server->broker().Settle(ReceiptsOf(messages), settlement);
}

// Sends each anew to the other queue, then acknowledges what was sent; leaves in `messages` what was not.
Awaitable<absl::Status> DownstreamStream::Requeue(Request request, std::vector<LeasedMessage>& messages) {
  std::vector<kubemq::QueueMessage> copies;
  for (const LeasedMessage& leased : messages) {
    kubemq::QueueMessage& copy = copies.emplace_back(leased.message);
    copy.set_channel(request.requeuechannel());
    if (copy.clientid().empty()) copy.set_clientid(request.clientid());
  }
  const auto results = co_await state().queues.Send(From(), std::move(copies));
  std::vector<LeasedMessage> sent, kept;
  absl::Status failed;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (results[i].iserror() && failed.ok()) {
      failed = MakeFault(Fault::kInvalidRequest, fmt::format("re-queue message with seq {} failed, {}",
                                                             messages[i].sequence, results[i].error()));
    }
    (results[i].iserror() ? kept : sent).push_back(std::move(messages[i]));
  }
  messages = std::move(kept);
  if (sent.empty()) co_return failed;
  const absl::Status acknowledged = co_await state().server->broker().Settle(ReceiptsOf(sent), Settlement());
  co_return failed.ok() ? acknowledged : failed;
}

void DownstreamStream::PutBack(const std::string& transaction, std::vector<LeasedMessage> messages) {
  transactions_.Return(transaction, std::move(messages));
  if (ended() || half_closed()) DropAll();
}

void DownstreamStream::ShowOffsets(const Request& request) {
  if (!transactions_.Holds(request.reftransactionid())) return Fail(request, kubemq_text::kNoTransaction);
  Response response = ResponseTo(request);
  for (const int64_t sequence : transactions_.Sequences(request.reftransactionid()))
    response.add_activeoffsets(sequence);
  Push(std::move(response));
}

void DownstreamStream::DropAll() {
  for (const auto& [number, waiting] : gets_) state().tasks.Cancel(waiting.task);
  QueueHold left(*state().server);
  for (LeasedMessage& leased : transactions_.TakeAll()) left.Take(std::move(leased.receipt));
}

}  // namespace llm_router
