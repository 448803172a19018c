// Gates: where streams wait until a test lets them go on, a piece at a time: how a test proves that nobody
// between the provider and the caller holds anything back.
//
// Owned by the Simulator; loop thread. At most a thousand names, each at most 64 letters and digits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router::simulate {

class Gate {
 public:
  explicit Gate(Executor executor) : changed_(executor, TimePoint::max()) {}

  // Waits until the first `count` pieces of a stream may go. False when the coroutine was cancelled.
  Awaitable<bool> Pass(size_t count);
  // That many pieces of every stream of this name may go, now and later; never fewer than before.
  void Allow(uint64_t count);

  bool IsOpen(size_t count) const { return count <= allowed_; }
  void NoteSent(size_t count) { sent_ = std::max<uint64_t>(sent_, count); }

  uint64_t allowed() const { return allowed_; }
  uint64_t sent() const { return sent_; }  // by the stream that is furthest

 private:
  uint64_t allowed_ = 0;
  uint64_t sent_ = 0;
  Timer changed_;  // cancelled when more are allowed
};

class Gates {
 public:
  explicit Gates(Executor executor) : executor_(executor) {}

  // Made when it is not there. Shared: streams under way keep theirs when all are forgotten.
  absl::StatusOr<std::shared_ptr<Gate>> Find(std::string_view name);
  // {"name", "frames"}. An error says what is wrong with it.
  absl::Status Allow(std::string_view json);
  // {"gates": {NAME: {"frames": allowed, "sent": n}}}
  std::string StateJson() const;
  // Opens all, and forgets them.
  void Clear();

 private:
  Executor executor_;
  std::map<std::string, std::shared_ptr<Gate>, std::less<>> gates_;
};

}  // namespace llm_router::simulate
