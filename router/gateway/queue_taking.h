// Taking messages off a queue for a caller of the KubeMQ wire, who names how many and how long to wait.
//
// Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/gateway/queue_hold.h"

namespace llm_router {

struct TakingOptions {
  TakingOptions() = default;

  size_t max = 1;
  Milliseconds wait{0};
  // Whether to go as soon as there is one; otherwise when there are `max`, or the wait is over.
  bool at_first = false;
};

// What one answer may hold; whoever asked for more gets it by asking again. One message may be larger.
inline constexpr size_t kMostAnswerBytes = 4'000'000;  // several SDKs take 4 MiB

// What was taken, as it goes out, and in `hold`, in the same order, what keeps it leased.
struct Taking {
  explicit Taking(KubemqServer& server) : hold(server) {}

  std::vector<kubemq::QueueMessage> messages;
  size_t bytes = 0;  // on the wire
  QueueHold hold;
};

// A cancelled coroutine takes nothing: fault cancelled.
Awaitable<absl::StatusOr<Taking>> TakeMessages(KubemqServer& server, std::string queue,
                                               TakingOptions options);

}  // namespace llm_router
