#include "router/gateway/queue_transactions.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/ids.h"

namespace llm_router {

std::string NewUuid() {
  const std::string hex = NewSecretId();
  constexpr std::string_view kVariants = "89ab";
  const char variant = kVariants[static_cast<size_t>(hex[16]) % kVariants.size()];
  const std::string_view text = hex;
  return fmt::format("{}-{}-4{}-{}{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(13, 3), variant,
                     text.substr(17, 3), text.substr(20));
}

std::string QueueTransactions::Open(std::vector<kubemq::QueueMessage>& messages,
                                    std::vector<Receipt> receipts) {
  std::string id = NewUuid();
  Transaction& transaction = open_[id];
  for (size_t i = 0; i < messages.size(); ++i) {
    LeasedMessage leased;
    leased.sequence = static_cast<int64_t>(messages[i].attributes().sequence());
    if (leased.sequence <= 0 || transaction.contains(leased.sequence)) {
      leased.sequence = transaction.empty() ? 1 : transaction.rbegin()->first + 1;
      messages[i].mutable_attributes()->set_sequence(static_cast<uint64_t>(leased.sequence));
    }
    leased.message = messages[i];
    leased.receipt = std::move(receipts[i]);
    bytes_ += leased.message.ByteSizeLong();
    transaction.emplace(leased.sequence, std::move(leased));
  }
  return id;
}

std::vector<int64_t> QueueTransactions::Sequences(const std::string& id) const {
  std::vector<int64_t> sequences;
  const auto found = open_.find(id);
  if (found == open_.end()) return sequences;
  for (const auto& [sequence, leased] : found->second) sequences.push_back(sequence);
  return sequences;
}

LeasedMessage QueueTransactions::Remove(Transaction& transaction, Transaction::iterator at) {
  LeasedMessage leased = std::move(at->second);
  bytes_ -= leased.message.ByteSizeLong();
  transaction.erase(at);
  return leased;
}

QueueTransactions::Taken QueueTransactions::Take(const std::string& id, std::span<const int64_t> sequences) {
  Taken taken;
  const auto found = open_.find(id);
  if (found == open_.end()) return taken;
  for (const int64_t sequence : sequences) {
    const auto at = found->second.find(sequence);
    if (at == found->second.end()) {
      taken.unknown = sequence;
      break;
    }
    taken.messages.push_back(Remove(found->second, at));
  }
  if (found->second.empty()) open_.erase(found);
  return taken;
}

std::vector<LeasedMessage> QueueTransactions::TakeAll(const std::string& id) {
  return Take(id, Sequences(id)).messages;
}

std::vector<LeasedMessage> QueueTransactions::TakeAll() {
  std::vector<LeasedMessage> all;
  while (!open_.empty()) {
    for (LeasedMessage& leased : TakeAll(open_.begin()->first)) all.push_back(std::move(leased));
  }
  return all;
}

void QueueTransactions::Return(const std::string& id, std::vector<LeasedMessage> messages) {
  if (messages.empty()) return;
  Transaction& transaction = open_[id];
  for (LeasedMessage& leased : messages) {
    bytes_ += leased.message.ByteSizeLong();
    transaction.emplace(leased.sequence, std::move(leased));
  }
}

}  // namespace llm_router
