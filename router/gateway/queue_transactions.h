// QueueTransactions: what one QueuesDownstream stream has received and not yet settled, by transaction.
//
// A transaction closes when its last message is taken out. Pure bookkeeping, no broker; loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "router/gateway/queue_taking.h"

namespace llm_router {

// One message and what keeps it leased.
struct LeasedMessage {
  LeasedMessage() = default;

  int64_t sequence = 0;
  kubemq::QueueMessage message;
  Receipt receipt;
};

class QueueTransactions {
 public:
  static constexpr size_t kMostTransactions = 1'000;
  static constexpr size_t kMostBytes = size_t{128} * 1024 * 1024;  // of messages in all of them

  // Whether another one may be opened.
  bool HasRoom() const { return open_.size() < kMostTransactions && bytes_ < kMostBytes; }

  // Opens one, and returns its id, a UUID. Sequences that an engine gave twice, or did not give at all, are
  // replaced, in `messages` too.
  std::string Open(std::vector<kubemq::QueueMessage>& messages, std::vector<Receipt> receipts);
  bool Holds(const std::string& id) const { return open_.contains(id); }
  // Oldest first; none: there is no such transaction.
  std::vector<int64_t> Sequences(const std::string& id) const;

  // Takes messages out, in the order asked for, up to the first that is not there.
  struct Taken {
    Taken() = default;

    std::vector<LeasedMessage> messages;
    std::optional<int64_t> unknown;
  };
  Taken Take(const std::string& id, std::span<const int64_t> sequences);
  std::vector<LeasedMessage> TakeAll(const std::string& id);
  // All of all transactions.
  std::vector<LeasedMessage> TakeAll();

  // Puts back what could not be settled.
  void Return(const std::string& id, std::vector<LeasedMessage> messages);

 private:
  using Transaction = std::map<int64_t, LeasedMessage>;

  LeasedMessage Remove(Transaction& transaction, Transaction::iterator at);

  std::map<std::string, Transaction, std::less<>> open_;
  size_t bytes_ = 0;
};

// A new id in the form of a UUID of version 4.
std::string NewUuid();

}  // namespace llm_router
