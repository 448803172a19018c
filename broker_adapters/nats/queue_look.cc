#include "broker_adapters/nats/queue_look.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/jetstream_text.h"
#include "broker_adapters/nats/mailbox.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr size_t kMostPeeked = 1'024;
constexpr size_t kTakenAtOnce = 256;
constexpr size_t kMostStreams = 100'000;

}  // namespace

Awaitable<absl::StatusOr<std::optional<WireMessage>>> QueueLook::Next(std::string queue, uint64_t sequence) {
  WireMessage question(GetDirect(StreamOf(queue)), NextOn(QueueSubject(queue), sequence));
  CO_ASSIGN_OR_RETURN(WireMessage answer, co_await connection_.Ask(std::move(question), Now() + kPatience));
  if (answer.status == 0) co_return std::optional<WireMessage>(std::move(answer));
  if (answer.status != kNobodyThere) co_return std::optional<WireMessage>();
  co_return MakeFault(
      Fault::kNotSupported,
      "stream " + StreamOf(queue) +
          " can't be looked into: set its allow_direct, as llm-router does for those it makes");
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> QueueLook::Peek(std::string queue, size_t max) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_RETURN_IF_ERROR(CheckName(queue));
  std::vector<Delivery> seen;
  CO_ASSIGN_OR_RETURN(const std::optional<uint64_t> given, co_await streams_.Given(queue));
  if (!given) co_return seen;
  uint64_t next = *given + 1;
  while (seen.size() < std::min(max, kMostPeeked)) {
    CO_ASSIGN_OR_RETURN(std::optional<WireMessage> message, co_await Next(queue, next));
    if (!message) break;
    const auto sequence = ParseNumber<uint64_t>(message->Header("Nats-Sequence"));
    if (!sequence || *sequence < next) break;
    next = *sequence + 1;
    Delivery delivery;
    delivery.attributes = AttributesOf(*message);
    delivery.attributes.sequence = *sequence;
    if (delivery.attributes.expires_at > 0 && delivery.attributes.expires_at <= UnixNanos()) continue;
    delivery.deliveries = 1;
    delivery.message = MessageOf(*std::move(message));
    delivery.message.channel = queue;
    seen.push_back(std::move(delivery));
  }
  co_return seen;
}

// A purge by the server would take what is leased along. What comes meanwhile may stay.
Awaitable<absl::StatusOr<uint64_t>> QueueLook::Purge(std::string queue) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_RETURN_IF_ERROR(CheckName(queue));
  CO_ASSIGN_OR_RETURN(const std::optional<StreamState> state, co_await streams_.State(queue));
  if (!state) co_return uint64_t{0};
  CO_ASSIGN_OR_RETURN(uint64_t removed, co_await streams_.PurgeLater(queue));
  const auto found = state->messages.find(QueueSubject(queue));
  for (uint64_t left = found == state->messages.end() ? 0 : found->second; left > 0;) {
    std::vector<std::string> taken = co_await Take(queue, std::min<uint64_t>(left, kTakenAtOnce));
    if (taken.empty()) break;
    left -= std::min<uint64_t>(left, taken.size());
    for (const absl::Status& told : co_await streams_.Tell(std::move(taken), "+ACK")) {
      CO_RETURN_IF_ERROR(told);
      ++removed;
    }
  }
  co_return removed;
}

Awaitable<std::vector<std::string>> QueueLook::Take(std::string queue, size_t most) {
  Mailbox mailbox(connection_, Mailbox::Kind::kOwn);
  WireMessage pull(NextMessage(StreamOf(queue), kWorkConsumer), Pull(most, std::chrono::nanoseconds(0)));
  pull.reply = mailbox.address();
  const TimePoint patience = Now() + kPatience;
  std::vector<std::string> taken;
  if (!connection_.Publish(std::move(pull), patience).ok()) co_return taken;
  while (taken.size() < most) {
    auto message = co_await mailbox.Next(patience);
    if (!message) co_return taken;
    if (message->status != 0) break;
    taken.push_back(std::move(message->reply));
  }
  mailbox.Expect(false);
  co_return taken;
}

Awaitable<absl::StatusOr<std::vector<QueueTotals>>> QueueLook::Queues() {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  std::vector<QueueTotals> all;
  for (size_t offset = 0; offset < kMostStreams;) {
    CO_ASSIGN_OR_RETURN(const StreamPage page, co_await streams_.List(offset));
    for (const QueueStream& row : page.queues) {
      if (row.last_sequence == 0) continue;
      QueueTotals& totals = all.emplace_back();
      totals.name = row.queue;
      totals.waiting = row.messages;
      totals.bytes = row.bytes;
      totals.first_sequence = row.messages > 0 ? row.first_sequence : 0;
      totals.last_sequence = row.last_sequence;
    }
    offset += page.streams;
    if (page.streams == 0 || offset >= page.total) break;
  }
  std::ranges::sort(all, {}, &QueueTotals::name);
  co_return all;
}

}  // namespace llm_router::nats
