#include "client/canceller.h"

#include <map>
#include <mutex>
#include <utility>

#include "client/cancel_watch.h"

namespace llm_router::client {

// The functions run under the mutex: so a watch that is gone has none running.
struct Canceller::State {
  std::mutex mutex;
  bool cancelled = false;
  uint64_t next = 1;
  std::map<uint64_t, std::function<void()>> watches;
};

Canceller::Canceller() : state_(std::make_shared<State>()) {}

void Canceller::Cancel() const {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->cancelled, true)) return;
  for (const auto& [id, on_cancel] : state_->watches) on_cancel();
}

bool Canceller::cancelled() const {
  const std::lock_guard lock(state_->mutex);
  return state_->cancelled;
}

CancelWatch::CancelWatch(const Canceller& canceller, std::function<void()> on_cancel)
    : state_(canceller.state_) {
  const std::lock_guard lock(state_->mutex);
  if (state_->cancelled) on_cancel();
  id_ = state_->next++;
  state_->watches.emplace(id_, std::move(on_cancel));
}

CancelWatch::~CancelWatch() {
  const std::lock_guard lock(state_->mutex);
  state_->watches.erase(id_);
}

}  // namespace llm_router::client
