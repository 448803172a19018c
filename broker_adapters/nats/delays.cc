#include "broker_adapters/nats/delays.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr auto kWhile = std::chrono::seconds(60);
constexpr auto kPull = std::chrono::seconds(30);
constexpr auto kGrace = std::chrono::seconds(2);
constexpr auto kAfterFailure = std::chrono::seconds(1);
constexpr size_t kBatch = 256;
constexpr size_t kMostQueues = 1'000;

}  // namespace

absl::Status Delays::LookAfter(const std::string& queue) {
  if (connection_.stopping()) return connection_.ShuttingDown();
  const auto found = until_.find(queue);
  if (found != until_.end()) {
    found->second = Now() + kWhile;
    return absl::OkStatus();
  }
  if (until_.size() >= kMostQueues) {
    return MakeFault(Fault::kOverloaded,
                     fmt::format("this process receives from {} queues already: receive from fewer, or from "
                                 "this one by another process; a queue counts for a minute after it was last "
                                 "received from",
                                 kMostQueues));
  }
  until_[queue] = Now() + kWhile;
  connection_.tasks().Spawn(Run(queue));
  return absl::OkStatus();
}

Awaitable<void> Delays::Run(std::string queue) {
  while (until_[queue] > Now() && !co_await Cancelled() && !connection_.stopping()) {
    const bool up = (co_await connection_.Up(Now() + kPull)).ok();
    if (up && (co_await streams_.Ensure(queue)).ok()) {
      co_await Take(queue);
    } else {
      (void)co_await Sleep(Now() + kAfterFailure);
    }
  }
  until_.erase(queue);
}

// Waits for one, and takes what else is there with it.
Awaitable<void> Delays::Take(std::string queue) {
  Mailbox mailbox(connection_, Mailbox::Kind::kOwn);
  WireMessage pull(NextMessage(StreamOf(queue), kLaterConsumer), Pull(kBatch, kPull));
  pull.reply = mailbox.address();
  if (!connection_.Publish(std::move(pull), Now() + kGrace).ok()) {
    (void)co_await Sleep(Now() + kAfterFailure);
    co_return;
  }
  const TimePoint end = Now() + kPull + kGrace;
  for (size_t taken = 0; taken < kBatch && Now() < end;) {
    std::vector<WireMessage> messages;
    for (auto message = co_await mailbox.Next(messages.empty() ? end : Now()); message;
         message = co_await mailbox.Next(Now())) {
      if (message->status != 0) {
        mailbox.Expect(false);
        if (message->status == kNobodyThere || message->status == kNotSent || message->status == 409) {
          streams_.Forget(queue);
          (void)co_await Sleep(Now() + kAfterFailure);
        }
        taken = kBatch;
        break;
      }
      messages.push_back(*std::move(message));
    }
    if (messages.empty()) break;
    taken += messages.size();
    co_await Move(queue, std::move(messages));
  }
}

Awaitable<void> Delays::Move(std::string queue, std::vector<WireMessage> messages) {
  std::vector<WireMessage> due;
  std::vector<std::string> receipts;
  for (WireMessage& message : messages) {
    const auto ticket = ParseTicket(message.reply);
    if (!ticket) continue;
    if (const int64_t left = DueOf(message) - UnixNanos(); left > 0) {
      streams_.Mention(message.reply, fmt::format(R"(-NAK {{"delay": {}}})", left));
      continue;
    }
    receipts.push_back(message.reply);
    due.push_back(Forwarded(message, QueueSubject(queue)));
    due.back().Add("Nats-Msg-Id", fmt::format("later-{}", ticket->sequence));
  }
  if (due.empty()) co_return;
  const auto stored = co_await streams_.Store(queue, std::move(due));
  for (size_t i = 0; i < stored.size(); ++i) streams_.Mention(receipts[i], stored[i].ok() ? "+ACK" : "-NAK");
}

}  // namespace llm_router::nats
