// Mailbox: an address, and what comes there until it is closed. Owned by who waits; loop thread only; may not
// outlive its connection's Stop.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "broker_adapters/nats/connection.h"

namespace llm_router::nats {

class Mailbox {
 public:
  enum class Kind {
    kShared,  // for answers to the address itself, by the subscription that all share: cheap
    kOwn,     // also for messages of a stream, which keep their subjects; once it is closed, the server knows
              // that nobody waits here
  };
  explicit Mailbox(Connection& connection, Kind kind = Kind::kShared);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  const std::string& address() const { return address_; }
  // The next message, also one that had come before. Nothing: the deadline passed, the coroutine was
  // cancelled, or the connection is gone.
  Awaitable<std::optional<WireMessage>> Next(TimePoint deadline);
  bool is_cut() const { return cut_; }
  // Whether something may be on its way here: then it is still waited for, and given to who takes strays.
  void Expect(bool something) { expecting_ = something; }

  // The connection's: a message is there; the connection is gone.
  void Put(WireMessage message);
  void Cut();

 private:
  Connection& connection_;
  const uint64_t id_;
  const Kind kind_;
  std::string address_;
  uint64_t subscription_ = 0;
  Waker waker_;
  std::deque<WireMessage> got_;
  bool cut_ = false;
  bool expecting_ = true;
};

}  // namespace llm_router::nats
