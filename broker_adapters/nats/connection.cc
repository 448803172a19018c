#include "broker_adapters/nats/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/nats/jetstream_text.h"
#include "broker_adapters/nats/mailbox.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kForHeaders = 64 * 1024;
constexpr Milliseconds kGreeting(2'000);
constexpr Milliseconds kGreetingPause(100);

NatsOptions WithClientId(NatsOptions options) {
  if (options.client_id.empty()) options.client_id = "llm-router-" + NewId();
  return options;
}

// What a server's max_payload leaves for a body.
size_t BodyWithin(size_t max_payload) {
  return max_payload > 2 * kForHeaders ? max_payload - kForHeaders : max_payload / 2;
}

}  // namespace

std::shared_ptr<Connection> Connection::Make(Executor executor, NatsOptions options) {
  std::shared_ptr<Connection> connection(new Connection(executor, std::move(options)));
  connection->Start();
  return connection;
}

Connection::Connection(Executor executor, NatsOptions options)
    : executor_(executor),
      options_(WithClientId(std::move(options))),
      inbox_("_INBOX." + NewId()),
      tasks_(executor) {
  caps_.dispatch = Dispatch::kRandom;
  caps_.max_body = std::min(options_.max_body, BodyWithin(max_payload_));
  caps_.durability = options_.in_memory ? Durability::kMemory : Durability::kDisk;
  caps_.timed_lease = true;
  caps_.confirms_subscribe = true;
}

Connection::~Connection() = default;

void Connection::Start() {
  intake_ = std::make_shared<Intake>(executor_, [this](Arrival arrival) { Receive(std::move(arrival)); });
  Sender::Calls calls;
  calls.up = [weak = weak_from_this()](size_t max_payload) {
    if (const auto self = weak.lock()) self->GoUp(max_payload);
  };
  calls.down = [weak = weak_from_this()](absl::Status why) {
    if (const auto self = weak.lock()) self->GoDown(std::move(why));
  };
  sender_ = std::make_unique<Sender>(executor_, options_, intake_, std::move(calls));
  answers_ = Subscribe(inbox_ + ".*", "", [this](std::optional<WireMessage> message) {
    if (!message) return;
    const std::string_view token = std::string_view(message->subject).substr(inbox_.size() + 1);
    const auto found = mailboxes_.find(ParseNumber<uint64_t>(token).value_or(0));
    if (found != mailboxes_.end()) {
      found->second->Put(*std::move(message));
    } else if (stray_) {
      stray_(std::move(message));
    }
  });
}

void Connection::Receive(Arrival arrival) {
  const auto found = handlers_.find(arrival.subscription);
  if (found == handlers_.end()) return;
  const std::shared_ptr<Handler> handler = found->second;
  if (!arrival.message) handlers_.erase(found);
  (*handler)(std::move(arrival.message));
}

void Connection::GoUp(size_t max_payload) {
  if (stopping_) return;
  max_payload_ = max_payload;
  caps_.max_body = std::min(options_.max_body, BodyWithin(max_payload));
  ++meeting_;
  if (has_queues_) {
    BeUp();
  } else {
    tasks_.Spawn(Greet(meeting_));
  }
}

void Connection::BeUp() {
  up_ = true;
  Wake();
}

// Queues are there when JetStream is. It does not answer while a cluster elects its leader, and that is not
// waited for longer than a moment: queries need none. Once it was there, its absence is that, too.
Awaitable<void> Connection::Greet(uint64_t meeting) {
  const TimePoint patience = Now() + kGreeting;
  while (meeting == meeting_ && !co_await Cancelled()) {
    const auto info = co_await Ask(WireMessage(std::string(kAccountInfo), ""), Now() + kGreeting);
    if (meeting != meeting_ || stopping_) co_return;
    has_queues_ = info.ok() && info->status != kNobodyThere && ErrorIn(info->body).ok();
    if (has_queues_) {
      caps_.durability = options_.in_memory ? Durability::kMemory : Durability::kDisk;
      co_return BeUp();
    }
    if (!up_ && Now() >= patience) {
      if (info.ok()) {
        caps_.durability = Durability::kNone;
        log::Info("the NATS server has no JetStream: no queues, and so no jobs, by it");
      }
      BeUp();
    }
    (void)co_await Sleep(Now() + (up_ ? kGreeting : kGreetingPause));
  }
}

void Connection::GoDown(absl::Status why) {
  ++meeting_;
  up_ = false;
  why_not_ = std::move(why);
  CloseMailboxes();
  Wake();
}

void Connection::CloseMailboxes() {
  for (const auto& [id, mailbox] : mailboxes_) mailbox->Cut();
}

void Connection::Wake() {
  for (Timer* waiter : waiters_) waiter->cancel();
}

absl::Status Connection::WhyNot() const {
  if (stopping_) return ShuttingDown();
  if (!why_not_.ok()) return why_not_;
  return MakeFault(Fault::kEngineUnavailable, "there is no connection to the NATS server yet: ask again");
}

Awaitable<absl::Status> Connection::Up(TimePoint deadline) {
  if (up_ && !stopping_) co_return absl::OkStatus();
  Timer timer(executor_, deadline);
  waiters_.insert(&timer);
  while (!up_ && !stopping_ && FaultOf(why_not_) != Fault::kUnauthenticated && Now() < deadline &&
         !co_await Cancelled()) {
    timer.expires_at(deadline);
    (void)co_await timer.async_wait(kUseTuple);
  }
  waiters_.erase(&timer);
  if (co_await Cancelled() && !stopping_) co_return MakeFault(Fault::kCancelled, "the caller went away");
  co_return up_ && !stopping_ ? absl::OkStatus() : WhyNot();
}

absl::Status Connection::Publish(WireMessage message, TimePoint until) {
  RETURN_IF_ERROR(CheckSize(message));
  if (!sender_) return ShuttingDown();
  if (sender_->Publish(std::move(message), until, answers_)) return absl::OkStatus();
  return MakeFault(
      Fault::kOverloaded,
      "too many messages wait for the NATS server: send fewer, or find out why it does not take them");
}

Awaitable<absl::StatusOr<WireMessage>> Connection::Ask(WireMessage question, TimePoint deadline) {
  Mailbox mailbox(*this);
  question.reply = mailbox.address();
  CO_RETURN_IF_ERROR(Publish(std::move(question), deadline));
  auto answer = co_await mailbox.Next(deadline);
  if (answer && answer->status != kNotSent) co_return *std::move(answer);
  if (stopping_) co_return ShuttingDown();
  if (answer || mailbox.is_cut()) co_return WhyNot();
  if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
  co_return MakeFault(Fault::kTimeout, "no answer before the deadline");
}

// A message to ourselves comes back after all that.
Awaitable<absl::Status> Connection::Confirm(TimePoint deadline) {
  Mailbox mailbox(*this);
  CO_RETURN_IF_ERROR(Publish(WireMessage(mailbox.address(), "confirm"), deadline));
  const auto echo = co_await mailbox.Next(deadline);
  if (echo) co_return absl::OkStatus();
  co_return MakeFault(Fault::kTimeout, "no answer before the deadline");
}

const std::string& Connection::Presence() {
  if (presence_.empty()) {
    presence_ = fmt::format("{}{}", kPresencePrefix, NewId());
    (void)Subscribe(presence_, "", [](std::optional<WireMessage>) {});
  }
  return presence_;
}

uint64_t Connection::Subscribe(std::string subject, std::string group, Handler handler) {
  if (!sender_) return 0;
  const uint64_t id = next_++;
  handlers_[id] = std::make_shared<Handler>(std::move(handler));
  sender_->Subscribe(id, std::move(subject), std::move(group));
  return id;
}

void Connection::Unsubscribe(uint64_t id) {
  handlers_.erase(id);
  if (sender_) sender_->Unsubscribe(id);
}

void Connection::Drain(uint64_t id) {
  if (sender_) sender_->Drain(id);
}

absl::Status Connection::CheckBody(const Message& message) const {
  if (message.body.size() <= caps_.max_body) return absl::OkStatus();
  return MakeFault(
      Fault::kTooLarge,
      fmt::format(
          "the body has {} bytes and may have {}: send less, or raise limits.body and the NATS server's "
          "max_payload, which has to leave 64 KB for headers",
          message.body.size(), caps_.max_body));
}

absl::Status Connection::CheckSize(const WireMessage& message) const {
  if (message.payload() <= max_payload_) return absl::OkStatus();
  return MakeFault(
      Fault::kTooLarge,
      fmt::format("the message has {} bytes, headers included, and the NATS server's max_payload is "
                  "{}: send less, or raise that",
                  message.payload(), max_payload_));
}

absl::Status Connection::ShuttingDown() const {
  return MakeFault(Fault::kShuttingDown, "this process is on its way out");
}

void Connection::BeginStop() {
  stopping_ = true;
  CloseMailboxes();
  Wake();
}

Awaitable<void> Connection::Stop() {
  BeginStop();
  tasks_.Cancel();
  co_await tasks_.Join();
  if (!sender_) co_return;
  const auto sender = std::move(sender_);
  co_await sender->Stop();
  intake_->Close();
  handlers_.clear();
}

}  // namespace llm_router::nats
