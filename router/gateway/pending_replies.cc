#include "router/gateway/pending_replies.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "broker_adapters/base/ids.h"

namespace llm_router {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// 64 bits, given as 16 hex digits, as 11 base-62 characters.
std::string Base62(const std::string& hex) {
  uint64_t bits = std::stoull(hex, nullptr, 16);
  std::string text(11, '0');
  for (char& c : text) {
    c = kAlphabet[bits % kAlphabet.size()];
    bits /= kAlphabet.size();
  }
  return text;
}

std::string NewReplyChannel() {
  const std::string secret = NewSecretId();
  return fmt::format("_INBOX.{}{}.{}", Base62(secret.substr(0, 16)), Base62(secret.substr(16)),
                     NewId().substr(0, 8));
}

}  // namespace

PendingReplies::Pending::Pending(PendingReplies& owner, Executor executor)
    : owner_(owner), reply_channel_(NewReplyChannel()), reply_(executor) {
  owner_.waiting_.emplace(reply_channel_, this);
}

PendingReplies::Pending::~Pending() { owner_.waiting_.erase(reply_channel_); }

bool PendingReplies::Answer(const std::string& reply_channel, absl::StatusOr<Reply> reply) {
  const auto found = waiting_.find(reply_channel);
  if (found == waiting_.end()) return false;
  found->second->Set(std::move(reply));
  // Good for one answer: whatever comes after it is a stray.
  waiting_.erase(found);
  return true;
}

}  // namespace llm_router
