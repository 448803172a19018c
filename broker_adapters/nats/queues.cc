#include "broker_adapters/nats/queues.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr auto kConnectPatience = std::chrono::seconds(5);
constexpr auto kAnswerPatience = std::chrono::seconds(5);
constexpr auto kPull = std::chrono::seconds(5);  // then it is asked anew: a server that restarts forgets
constexpr auto kGrace = std::chrono::seconds(1);
constexpr auto kMostWait = std::chrono::hours(24);
constexpr Milliseconds kAfterRefusal(200);
constexpr size_t kMostMessages = 1'024;
constexpr int kTimeIsOver = 408;
constexpr int kNothingThere = 404;
constexpr int64_t kPerMillisecond = 1'000'000;

absl::Status Gone() { return MakeFault(Fault::kCancelled, "the caller went away"); }

}  // namespace

Queues::Queues(Connection& connection, Streams& streams)
    : connection_(connection),
      streams_(streams),
      leases_(connection, streams_),
      delays_(connection, streams_) {
  // What came for a receiver that is gone.
  connection_.OnStray([this](std::optional<WireMessage> message) {
    const auto ticket = ParseTicket(message->reply);
    if (ticket && !connection_.stopping())
      connection_.tasks().Spawn(GiveBack(std::move(message->reply), *ticket));
  });
}

Awaitable<absl::Status> Queues::Open(const std::string& queue, TimePoint deadline) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_RETURN_IF_ERROR(CheckName(queue));
  if (!connection_.is_up()) CO_RETURN_IF_ERROR(co_await connection_.Up(deadline));
  co_return co_await streams_.Ensure(queue);
}

absl::Status Queues::Check(const Outgoing& outgoing) const {
  RETURN_IF_ERROR(connection_.CheckBody(outgoing.message));
  if (outgoing.delay.count() < 0 || outgoing.expiry.count() < 0 || outgoing.max_deliveries < 0)
    return MakeFault(Fault::kInvalidRequest, "a message's delay, expiry and deliveries can't be negative");
  return outgoing.dead_letter.empty() ? absl::OkStatus() : CheckName(outgoing.dead_letter);
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> Queues::Send(std::string queue,
                                                                std::vector<Outgoing> messages) {
  CO_RETURN_IF_ERROR(co_await Open(queue, Now() + kConnectPatience));
  std::vector<SendResult> results(messages.size());
  std::vector<WireMessage> wires;
  std::vector<size_t> places;  // in `results`, of each of `wires`
  const int64_t now = UnixNanos();
  for (size_t i = 0; i < messages.size(); ++i) {
    Outgoing& outgoing = messages[i];
    if (outgoing.message.id.empty()) outgoing.message.id = NewId();
    if (outgoing.message.client_id.empty()) outgoing.message.client_id = connection_.options().client_id;
    SendResult& result = results[i];
    result.id = outgoing.message.id;
    result.status = Check(outgoing);
    if (!result.status.ok()) continue;
    result.sent_at = now;
    const int64_t due = now + outgoing.delay.count() * kPerMillisecond;
    const bool later = outgoing.delay.count() > 0;
    if (later) result.delayed_to = due;
    if (outgoing.expiry.count() > 0) result.expires_at = due + outgoing.expiry.count() * kPerMillisecond;
    wires.push_back(ToWire(std::move(outgoing), later ? LaterSubject(queue) : QueueSubject(queue), now));
    places.push_back(i);
  }
  const auto stored = co_await streams_.Store(queue, std::move(wires));
  for (size_t i = 0; i < stored.size(); ++i) results[places[i]].status = stored[i].status();
  co_return results;
}

Awaitable<Queues::Deliveries> Queues::Receive(std::string queue, ReceiveOptions options) {
  const TimePoint until = Now() + std::min<Milliseconds>(options.wait, kMostWait);
  CO_RETURN_IF_ERROR(co_await Open(queue, Now() + kConnectPatience));
  CO_RETURN_IF_ERROR(delays_.LookAfter(queue));
  Mailbox mailbox(connection_, Mailbox::Kind::kOwn);
  Deliveries got =
      co_await TakeWhatIsThere(queue, std::clamp<size_t>(options.max, 1, kMostMessages), mailbox);
  while (got.ok() && got->empty() && Now() < until && !co_await Cancelled()) {
    CO_RETURN_IF_ERROR(delays_.LookAfter(queue));
    got = co_await WaitForOne(queue, until, mailbox);
  }
  if (!co_await Cancelled()) co_return got;
  if (got.ok()) {
    std::vector<Receipt> receipts;
    for (const Delivery& delivery : *got) receipts.push_back(delivery.receipt);
    auto leases = leases_.Take(receipts);
    if (leases.ok()) {
      for (Lease& lease : *leases)
        connection_.tasks().Spawn(GiveBack(std::move(lease.receipt), std::move(lease.ticket)));
    }
  }
  co_return Gone();
}

absl::Status Queues::Ask(const std::string& queue, std::string pull, Mailbox& mailbox, TimePoint until) {
  WireMessage question(NextMessage(StreamOf(queue), kWorkConsumer), std::move(pull));
  question.reply = mailbox.address();
  mailbox.Expect(true);
  return connection_.Publish(std::move(question), until);
}

Awaitable<Queues::Deliveries> Queues::TakeWhatIsThere(const std::string& queue, size_t max,
                                                      Mailbox& mailbox) {
  const TimePoint patience = Now() + kAnswerPatience;
  CO_RETURN_IF_ERROR(Ask(queue, Pull(max, Milliseconds(0)), mailbox, patience));
  std::vector<Delivery> taken;
  for (size_t got = 0; got < max; ++got) {
    auto message = co_await mailbox.Next(patience);
    if (message && message->status == 0) {
      co_await Accept(queue, *std::move(message), taken);
      continue;
    }
    const bool refused = message && message->status != kTimeIsOver && message->status != kNothingThere;
    if (message) mailbox.Expect(false);
    if (refused) streams_.Forget(queue);
    if (!taken.empty() || co_await Cancelled() || (message && !refused)) co_return taken;
    if (connection_.stopping()) co_return connection_.ShuttingDown();
    co_return MakeFault(Fault::kEngineUnavailable, "JetStream gives no messages now: ask again");
  }
  mailbox.Expect(false);
  co_return taken;
}

Awaitable<Queues::Deliveries> Queues::WaitForOne(const std::string& queue, TimePoint until,
                                                 Mailbox& mailbox) {
  CO_RETURN_IF_ERROR(co_await streams_.Ensure(queue));
  const Milliseconds wait = std::clamp<Milliseconds>(Remaining(until), Milliseconds(1), kPull);
  const TimePoint patience = Now() + wait + kGrace;
  CO_RETURN_IF_ERROR(Ask(queue, Pull(1, wait), mailbox, patience));
  auto message = co_await mailbox.Next(patience);
  if (message) mailbox.Expect(false);
  std::vector<Delivery> taken;
  if (message && message->status == 0) {
    co_await Accept(queue, *std::move(message), taken);
  } else if (message && message->status != kTimeIsOver && message->status != kNothingThere) {
    streams_.Forget(queue);
    (void)co_await Sleep(std::min<TimePoint>(until, Now() + kAfterRefusal));
  } else if (!message && connection_.stopping()) {
    co_return connection_.ShuttingDown();
  } else if (!message && mailbox.is_cut()) {
    co_return MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server broke: ask again");
  }
  co_return taken;
}

Awaitable<void> Queues::Accept(const std::string& queue, WireMessage message, std::vector<Delivery>& taken) {
  auto ticket = ParseTicket(message.reply);
  if (!ticket) co_return;
  Lease lease;
  lease.queue = queue;
  lease.receipt = std::move(message.reply);
  lease.ticket = *std::move(ticket);
  Delivery delivery;
  delivery.attributes = AttributesOf(message);
  if (delivery.attributes.expires_at > 0 && delivery.attributes.expires_at <= UnixNanos()) {
    streams_.Mention(lease.receipt, "+ACK");
    co_return;
  }
  if (lease.ticket.deliveries > 1)
    lease.released = co_await streams_.Released(lease.ticket.stream, lease.ticket.sequence);
  delivery.deliveries = std::max(lease.ticket.deliveries - lease.released, 1);
  const int most = delivery.attributes.max_deliveries;
  if (most > 0 && delivery.deliveries >= most) lease.last = std::make_unique<WireMessage>(message);
  if (most > 0 && delivery.deliveries > most) {
    if ((co_await Bury(lease)).ok()) streams_.Mention(lease.receipt, "+ACK");
    co_return;
  }
  delivery.attributes.sequence = lease.ticket.sequence;
  if (delivery.attributes.sent_at == 0) delivery.attributes.sent_at = lease.ticket.stored_at;
  delivery.message = MessageOf(std::move(message));
  delivery.message.channel = queue;
  delivery.receipt = leases_.Add(std::move(lease));
  taken.push_back(std::move(delivery));
}

Awaitable<absl::Status> Queues::Bury(const Lease& lease) {
  const std::string dead_letter = AttributesOf(*lease.last).dead_letter;
  if (dead_letter.empty()) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(co_await streams_.Ensure(dead_letter));
  std::vector<WireMessage> buried;
  buried.push_back(Buried(*lease.last, QueueSubject(dead_letter), lease.queue));
  buried.back().Add("Nats-Msg-Id", fmt::format("dead-{}-{}", lease.ticket.stream, lease.ticket.sequence));
  const auto stored = co_await streams_.Store(dead_letter, std::move(buried));
  co_return stored.front().status();
}

Awaitable<absl::Status> Queues::Settle(std::vector<Receipt> receipts, Settlement settlement) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_ASSIGN_OR_RETURN(std::vector<Lease> leases, leases_.Take(receipts));
  switch (settlement.verdict) {
    case Settlement::Verdict::kAck:
      co_return co_await SettleAs(std::move(leases), "+ACK");
    case Settlement::Verdict::kNack:
      co_return co_await Nack(std::move(leases), settlement.delay);
    case Settlement::Verdict::kRelease:
      co_return co_await Release(std::move(leases));
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Queues::SettleAs(std::vector<Lease> leases, std::string verdict) {
  std::vector<std::string> receipts;
  for (const Lease& lease : leases) receipts.push_back(lease.receipt);
  const bool done = verdict == "+ACK";
  const auto told = co_await streams_.Tell(std::move(receipts), std::move(verdict));
  absl::Status first_failure;
  for (size_t i = 0; i < told.size(); ++i) {
    if (told[i].ok()) {
      if (done && leases[i].released > 0)
        streams_.ForgetReleased(leases[i].ticket.stream, leases[i].ticket.sequence);
      continue;
    }
    if (first_failure.ok()) first_failure = told[i];
    leases_.LetRunOut(std::move(leases[i]));
  }
  co_return first_failure;
}

Awaitable<absl::Status> Queues::Nack(std::vector<Lease> leases, Milliseconds delay) {
  std::vector<Lease> again, buried;
  absl::Status failure;
  for (Lease& lease : leases) {
    if (!lease.last) {
      again.push_back(std::move(lease));
    } else if (auto status = co_await Bury(lease); status.ok()) {
      buried.push_back(std::move(lease));
    } else {
      if (failure.ok()) failure = std::move(status);
      leases_.LetRunOut(std::move(lease));
    }
  }
  const int64_t nanos = std::min<Milliseconds>(delay, kMostWait * 365).count() * kPerMillisecond;
  std::string verdict = nanos > 0 ? fmt::format(R"(-NAK {{"delay": {}}})", nanos) : "-NAK";
  const absl::Status nacked = co_await SettleAs(std::move(again), std::move(verdict));
  const absl::Status acked = co_await SettleAs(std::move(buried), "+ACK");
  if (!failure.ok()) co_return failure;
  co_return nacked.ok() ? acked : nacked;
}

Awaitable<absl::Status> Queues::Release(std::vector<Lease> leases) {
  std::vector<Lease> noted;
  absl::Status failure;
  for (Lease& lease : leases) {
    auto status =
        co_await streams_.NoteReleased(lease.ticket.stream, lease.ticket.sequence, lease.released + 1);
    if (status.ok()) {
      noted.push_back(std::move(lease));
      continue;
    }
    if (failure.ok()) failure = std::move(status);
    leases_.LetRunOut(std::move(lease));
  }
  const absl::Status released = co_await SettleAs(std::move(noted), "-NAK");
  co_return failure.ok() ? released : failure;
}

Awaitable<void> Queues::GiveBack(std::string receipt, Ticket ticket) {
  int released = 0;
  if (ticket.deliveries > 1) released = co_await streams_.Released(ticket.stream, ticket.sequence);
  (void)co_await streams_.NoteReleased(ticket.stream, ticket.sequence, released + 1);
  streams_.Mention(receipt, "-NAK");
}

Awaitable<absl::StatusOr<QueueInfo>> Queues::Info(std::string queue) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_RETURN_IF_ERROR(CheckName(queue));
  if (!connection_.is_up()) CO_RETURN_IF_ERROR(co_await connection_.Up(Now() + kConnectPatience));
  CO_ASSIGN_OR_RETURN(const std::optional<StreamState> state, co_await streams_.State(queue));
  QueueInfo info;
  const auto count = [&](const std::string& subject) -> uint64_t {
    if (!state) return 0;
    const auto found = state->messages.find(subject);
    return found == state->messages.end() ? 0 : found->second;
  };
  info.waiting = count(QueueSubject(queue));
  info.delayed = count(LaterSubject(queue));
  if (state && state->first_at > 0)
    info.oldest_age = Milliseconds(std::max<int64_t>(UnixNanos() - state->first_at, 0) / kPerMillisecond);
  co_return info;
}

}  // namespace llm_router::nats
