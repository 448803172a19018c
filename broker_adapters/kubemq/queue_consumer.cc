#include "broker_adapters/kubemq/queue_consumer.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/downstream_words.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/kubemq_queue_text.h"

namespace llm_router {
namespace {

using Request = kubemq::QueuesDownstreamRequest;

// A server of ours lets 100 Gets wait and 1,000 transactions be open on a stream.
constexpr size_t kWaitingOfStream = 90;
constexpr size_t kLeasedOfStream = 900;
constexpr size_t kMostStreams = 100;
constexpr auto kPatience = std::chrono::seconds(60);  // beyond what the server was to wait

// The leases of one transaction, and the question that settles them.
struct Part {
  explicit Part(Request question) : request(std::move(question)) {}
  Request request;
  std::vector<QueueLease> leases;
};

Request SettlementOf(const Connection& connection, const QueueLease& lease, const Settlement& settlement) {
  const bool ack = settlement.verdict == Settlement::Verdict::kAck;
  Request request = downstream::Question(connection, ack ? kubemq::AckRange : kubemq::NAckRange);
  request.set_reftransactionid(lease.transaction);
  downstream::Note(request, kubemq_text::kConfirm, kubemq_text::kYes);
  if (settlement.verdict == Settlement::Verdict::kRelease)
    downstream::Note(request, kubemq_text::kRelease, kubemq_text::kYes);
  if (settlement.verdict == Settlement::Verdict::kNack && settlement.delay.count() > 0)
    downstream::Note(request, kubemq_text::kNackDelay, std::to_string(settlement.delay.count()));
  return request;
}

std::vector<Part> PartsOf(const Connection& connection, std::vector<QueueLease> leases,
                          const Settlement& settlement) {
  std::vector<Part> parts;
  for (QueueLease& lease : leases) {
    const auto same = [&](const Part& part) { return part.request.reftransactionid() == lease.transaction; };
    auto part = std::find_if(parts.begin(), parts.end(), same);
    if (part == parts.end())
      part = parts.insert(parts.end(), Part(SettlementOf(connection, lease, settlement)));
    part->request.add_sequencerange(lease.sequence);
    part->leases.push_back(std::move(lease));
  }
  return parts;
}

}  // namespace

std::shared_ptr<Downstream> QueueConsumer::Stream() {
  std::erase_if(streams_, [](const auto& stream) { return stream->is_over(); });
  for (const auto& stream : streams_) {
    if (stream->waiting() < kWaitingOfStream && leases_.CountOf(*stream) < kLeasedOfStream) return stream;
  }
  if (streams_.size() >= kMostStreams) return nullptr;
  return streams_.emplace_back(downstream::Open(connection_));
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> QueueConsumer::Receive(std::string queue,
                                                                        ReceiveOptions options) {
  const auto stream = Stream();
  if (!stream) co_return downstream::Full();
  Request get = downstream::Get(connection_, std::move(queue), options.max, options.wait);
  downstream::Note(get, kubemq_text::kAnswer, kubemq_text::kAnswerFirst);
  const Milliseconds wait(get.waittimeout());
  const auto asked = stream->Ask(std::move(get));
  auto answer = co_await stream->Wait(asked, Now() + wait + kPatience);
  const bool gone = co_await Cancelled();
  if (!answer) {
    Request give_up = downstream::Question(connection_, kubemq::CloseByClient);
    downstream::Note(give_up, kubemq_text::kGet, asked.id);
    stream->Tell(std::move(give_up));
    if (gone) co_return downstream::Gone();
    co_return MakeFault(Fault::kEngineUnavailable, "the server does not answer");
  }
  if (!answer->ok()) co_return answer->status();
  if (gone) {
    downstream::GiveBack(connection_, *stream, **answer);
    co_return downstream::Gone();
  }
  if ((*answer)->iserror()) co_return downstream::FailureIn(**answer);
  std::vector<Delivery> deliveries;
  for (kubemq::QueueMessage& message : *(*answer)->mutable_messages()) {
    QueueLease lease(stream, (*answer)->transactionid(),
                     static_cast<int64_t>(message.attributes().sequence()));
    deliveries.push_back(DeliveryOf(std::move(message)));
    deliveries.back().receipt = leases_.Add(std::move(lease));
  }
  co_return deliveries;
}

Awaitable<absl::Status> QueueConsumer::Settle(std::vector<QueueLease> leases, Settlement settlement) {
  if (leases.empty()) co_return absl::OkStatus();
  std::vector<Part> parts = PartsOf(connection_, std::move(leases), settlement);
  std::vector<Downstream::Asked> asked;
  for (Part& part : parts) asked.push_back(part.leases.front().stream->Ask(std::move(part.request)));
  absl::Status first_failure;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto stream = parts[i].leases.front().stream;
    const absl::Status status = co_await Await(*stream, asked[i]);
    if (status.ok()) continue;
    if (first_failure.ok()) first_failure = status;
    if (stream->is_over()) continue;
    for (QueueLease& lease : parts[i].leases) leases_.PutBack(std::move(lease));
  }
  co_return first_failure;
}

// A settlement that was sent takes effect, whether its caller waits or not.
Awaitable<absl::Status> QueueConsumer::Await(Downstream& stream, const Downstream::Asked& asked) {
  auto answer = co_await stream.Wait(asked, Now() + kPatience);
  if (!answer && co_await Cancelled()) co_return downstream::Gone();
  if (!answer) co_return MakeFault(Fault::kTimeout, "the server does not say that the message is settled");
  if (!answer->ok()) co_return downstream::PerhapsSettled(answer->status());
  co_return (*answer)->iserror() ? downstream::FailureIn(**answer) : absl::OkStatus();
}

void QueueConsumer::Stop(const absl::Status& why) {
  for (const auto& stream : streams_) stream->Close(why);
}

}  // namespace llm_router
