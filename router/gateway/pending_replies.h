// PendingReplies: the queries that remote subscribers hold, each by its reply channel.
//
// A reply channel is a token of ours, `_INBOX.<22>.<8>` in base 62 as KubeMQ's are: 128 secret bits, shown
// only to the subscriber that got the query, good for one answer. Loop thread only.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/broker.h"

namespace llm_router {

class PendingReplies {
 public:
  // One query out with a subscriber; lives where it is awaited.
  class Pending {
   public:
    Pending(PendingReplies& owner, Executor executor);
    ~Pending();
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    const std::string& reply_channel() const { return reply_channel_; }
    void Set(absl::StatusOr<Reply> reply) { reply_.Set(std::move(reply)); }
    Awaitable<std::optional<absl::StatusOr<Reply>>> Wait(TimePoint deadline) { return reply_.Wait(deadline); }

   private:
    PendingReplies& owner_;
    std::string reply_channel_;
    OneShot<absl::StatusOr<Reply>> reply_;
  };

  // False when nobody waits there (any more).
  bool Answer(const std::string& reply_channel, absl::StatusOr<Reply> reply);
  bool IsWaiting(const std::string& reply_channel) const { return waiting_.contains(reply_channel); }

 private:
  absl::flat_hash_map<std::string, Pending*> waiting_;
};

}  // namespace llm_router
