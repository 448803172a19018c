#include "broker_adapters/nats/mailbox.h"

#include <fmt/format.h>

#include <utility>

namespace llm_router::nats {

Mailbox::Mailbox(Connection& connection, Kind kind)
    : connection_(connection), id_(connection.next_++), kind_(kind), waker_(connection.executor()) {
  connection_.mailboxes_[id_] = this;
  // Not under the address of the others: that one is always listened to.
  address_ = fmt::format("{}{}.{}", connection_.inbox_, kind == Kind::kOwn ? "-own" : "", id_);
  if (kind != Kind::kOwn) return;
  subscription_ =
      connection_.Subscribe(address_, "", [this_connection = &connection_, id = id_](auto message) {
        if (!message) return;
        const auto found = this_connection->mailboxes_.find(id);
        if (found != this_connection->mailboxes_.end()) {
          found->second->Put(*std::move(message));
        } else if (this_connection->stray_) {
          this_connection->stray_(std::move(message));
        }
      });
}

Mailbox::~Mailbox() {
  connection_.mailboxes_.erase(id_);
  for (WireMessage& message : got_) {
    if (connection_.stray_) connection_.stray_(std::move(message));
  }
  if (kind_ != Kind::kOwn) return;
  if (expecting_) {
    connection_.Drain(subscription_);
  } else {
    connection_.Unsubscribe(subscription_);
  }
}

Awaitable<std::optional<WireMessage>> Mailbox::Next(TimePoint deadline) {
  while (got_.empty() && !cut_ && Now() < deadline) {
    if (!co_await waker_.Wait(deadline)) break;
  }
  if (got_.empty() || co_await Cancelled()) co_return std::nullopt;
  WireMessage message = std::move(got_.front());
  got_.pop_front();
  co_return message;
}

void Mailbox::Put(WireMessage message) {
  got_.push_back(std::move(message));
  waker_.Wake();
}

void Mailbox::Cut() {
  cut_ = true;
  waker_.Wake();
}

}  // namespace llm_router::nats
