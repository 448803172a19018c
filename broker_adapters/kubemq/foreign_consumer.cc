#include "broker_adapters/kubemq/foreign_consumer.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/downstream_words.h"

namespace llm_router {
namespace {

using Request = kubemq::QueuesDownstreamRequest;

constexpr size_t kMostStreams = 900;
constexpr size_t kMostIdle = 64;
constexpr Milliseconds kLeastWait{1'000};  // that such a server keeps to
constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kOffsetsPatience = std::chrono::seconds(5);

kubemq::QueuesDownstreamRequestType TypeOf(Settlement::Verdict verdict) {
  switch (verdict) {
    case Settlement::Verdict::kAck:
      return kubemq::AckRange;
    case Settlement::Verdict::kNack:
      return kubemq::NAckRange;
    case Settlement::Verdict::kRelease:
      return kubemq::CloseByClient;
  }
  return kubemq::PollRequestTypeUnknown;
}

}  // namespace

// A settlement that was sent, and the question that follows it.
struct ForeignConsumer::Settling {
  Settling(QueueLease its_lease, Downstream::Asked its_settled, Downstream::Asked its_after)
      : lease(std::move(its_lease)), settled(std::move(its_settled)), after(std::move(its_after)) {}
  QueueLease lease;
  Downstream::Asked settled;
  Downstream::Asked after;
};

std::shared_ptr<Downstream> ForeignConsumer::TakeStream() {
  while (!idle_.empty()) {
    auto stream = std::move(idle_.back());
    idle_.pop_back();
    if (!stream->is_over()) return stream;
  }
  auto stream = downstream::Open(connection_);
  if (open_.size() > kMostStreams)
    std::erase_if(open_, [](const auto& one) { return one.expired() || one.lock()->is_over(); });
  open_.push_back(stream);
  return stream;
}

void ForeignConsumer::PutStream(std::shared_ptr<Downstream> stream) {
  if (stream->is_over()) return;
  if (idle_.size() >= kMostIdle) return stream->Close(downstream::Gone());
  idle_.push_back(std::move(stream));
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> ForeignConsumer::Receive(std::string queue,
                                                                          ReceiveOptions options) {
  if (leases_.size() + receiving_ >= kMostStreams) co_return downstream::Full();
  const auto stream = TakeStream();
  Request get = downstream::Get(connection_, std::move(queue), 1, std::max(options.wait, kLeastWait));
  const Milliseconds wait(get.waittimeout());
  const auto asked = stream->Ask(std::move(get));
  ++receiving_;
  auto answer = co_await stream->Wait(asked, Now() + wait + kPatience);
  --receiving_;
  const bool gone = co_await Cancelled();
  if (!answer) {
    // With its stream ends what the server may have taken for it.
    stream->Close(downstream::Gone());
    if (gone) co_return downstream::Gone();
    co_return MakeFault(Fault::kEngineUnavailable, "the server does not answer");
  }
  if (!answer->ok()) co_return answer->status();
  std::vector<Delivery> deliveries;
  if (gone || (*answer)->iserror() || (*answer)->messages().empty()) {
    downstream::GiveBack(connection_, *stream, **answer);
    PutStream(stream);
    if (gone) co_return downstream::Gone();
    if ((*answer)->iserror()) co_return downstream::FailureIn(**answer);
    co_return deliveries;
  }
  kubemq::QueueMessage& message = *(*answer)->mutable_messages(0);
  QueueLease lease(stream, (*answer)->transactionid(), static_cast<int64_t>(message.attributes().sequence()));
  lease.original = std::make_unique<kubemq::QueueMessage>(message);
  deliveries.push_back(DeliveryOf(std::move(message)));
  deliveries.back().receipt = leases_.Add(std::move(lease));
  co_return deliveries;
}

Awaitable<absl::Status> ForeignConsumer::Settle(std::vector<QueueLease> leases, Settlement settlement) {
  if (settlement.verdict == Settlement::Verdict::kNack && settlement.delay.count() > 0)
    return Delay(std::move(leases), settlement.delay);
  return SettleAs(std::move(leases), TypeOf(settlement.verdict));
}

ForeignConsumer::Settling ForeignConsumer::Begin(QueueLease lease, kubemq::QueuesDownstreamRequestType type) {
  Request request = downstream::Question(connection_, type);
  request.set_reftransactionid(lease.transaction);
  if (type != kubemq::CloseByClient) request.add_sequencerange(lease.sequence);
  Request after = downstream::Question(connection_, kubemq::ActiveOffsets);
  after.set_reftransactionid(lease.transaction);
  auto settled = lease.stream->Ask(std::move(request));
  auto asked = lease.stream->Ask(std::move(after));
  return Settling(std::move(lease), std::move(settled), std::move(asked));
}

Awaitable<absl::Status> ForeignConsumer::SettleAs(std::vector<QueueLease> leases,
                                                  kubemq::QueuesDownstreamRequestType type) {
  std::vector<Settling> all;
  for (QueueLease& lease : leases) all.push_back(Begin(std::move(lease), type));
  absl::Status first_failure;
  for (Settling& settling : all) {
    const absl::Status status = co_await End(settling);
    if (first_failure.ok()) first_failure = status;
  }
  co_return first_failure;
}

Awaitable<absl::Status> ForeignConsumer::End(Settling& settling) {
  const auto stream = settling.lease.stream;
  auto after =
      co_await stream->Wait(settling.after, Now() + (answers_offsets_ ? kOffsetsPatience : Milliseconds(0)));
  const bool gone = co_await Cancelled();
  // Silence about the settlement means that it went well; that to a question, that this server knows none.
  if (!after && !gone) answers_offsets_ = false;
  stream->Forget(settling.settled);
  absl::Status status;
  if (settling.settled.answer->is_set()) {
    auto answer = co_await settling.settled.answer->Wait(Now());
    if (answer && !answer->ok()) status = downstream::PerhapsSettled(answer->status());
    if (answer && answer->ok() && (*answer)->iserror()) status = downstream::FailureIn(**answer);
  }
  if (status.ok()) {
    PutStream(stream);
  } else if (!stream->is_over()) {
    leases_.PutBack(std::move(settling.lease));
  }
  co_return status;
}

Awaitable<absl::Status> ForeignConsumer::Delay(std::vector<QueueLease> leases, Milliseconds delay) {
  std::vector<kubemq::QueueMessage> copies;
  std::vector<QueueLease> copied, buried, expired;
  for (QueueLease& lease : leases) {
    auto copy = LaterCopy(*lease.original, delay, UnixNanos());
    auto& kind = copy ? copied : IsLastDelivery(*lease.original) ? buried : expired;
    if (copy) copies.push_back(*std::move(copy));
    kind.push_back(std::move(lease));
  }
  absl::Status failure = co_await SettleAs(std::move(buried), kubemq::NAckRange);
  if (copies.empty()) {
    const absl::Status gone = co_await SettleAs(std::move(expired), kubemq::AckRange);
    co_return failure.ok() ? gone : failure;
  }
  const auto sent = co_await sender_.Send(std::move(copies), false);
  for (size_t i = 0; i < copied.size(); ++i) {
    const absl::Status& status = sent.ok() ? (*sent)[i].status : sent.status();
    if (status.ok()) {
      expired.push_back(std::move(copied[i]));
      continue;
    }
    if (failure.ok()) failure = status;
    if (!copied[i].stream->is_over()) leases_.PutBack(std::move(copied[i]));
  }
  const absl::Status acknowledged = co_await SettleAs(std::move(expired), kubemq::AckRange);
  co_return failure.ok() ? acknowledged : failure;
}

void ForeignConsumer::Stop(const absl::Status& why) {
  for (const auto& one : open_) {
    if (const auto stream = one.lock()) stream->Close(why);
  }
  idle_.clear();
}

}  // namespace llm_router
