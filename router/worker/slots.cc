#include "router/worker/slots.h"

#include <algorithm>

namespace llm_router {

Slots::Slots(Executor executor, size_t concurrency, size_t reserve)
    : executor_(executor),
      concurrency_(concurrency),
      job_capacity_(concurrency - std::min(concurrency, reserve)) {}

Awaitable<std::optional<Slots::Slot>> Slots::TakeForQuery(TimePoint deadline) {
  if (in_flight_ < concurrency_) {
    ++in_flight_;
    co_return std::optional<Slot>(std::in_place, *this);
  }
  OneShot<bool> turn(executor_);
  const auto place = waiting_.insert(waiting_.end(), &turn);
  const bool is_given = (co_await turn.Wait(deadline)).has_value();
  if (is_given) co_return std::optional<Slot>(std::in_place, *this);
  waiting_.erase(place);
  if (waiting_.empty() && on_room_) on_room_();
  co_return std::nullopt;
}

std::optional<Slots::Slot> Slots::TakeForJob() {
  if (free_for_jobs() == 0) return std::nullopt;
  ++in_flight_;
  return std::optional<Slot>(std::in_place, *this);
}

size_t Slots::free_for_jobs() const {
  return waiting_.empty() && in_flight_ < job_capacity_ ? job_capacity_ - in_flight_ : 0;
}

// A slot that is passed on stays counted: nobody who comes between finds it free.
void Slots::Return() {
  if (!waiting_.empty()) {
    OneShot<bool>* const oldest = waiting_.front();
    waiting_.pop_front();
    oldest->Set(true);
    return;
  }
  --in_flight_;
  if (on_room_) on_room_();
}

}  // namespace llm_router
