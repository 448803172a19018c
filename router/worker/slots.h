// Slots: how many queries and jobs of one route run at once in this worker.
//
// One count for both. A job takes a slot only while fewer than concurrency - reserve are taken and no query
// waits, so a query finds room; one that finds none waits its turn, first come first served. Owned by the
// worker, outlives everything that holds a slot. Loop thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "broker_adapters/base/one_shot.h"

namespace llm_router {

class Slots {
 public:
  // One slot, given back when destroyed. Movable.
  class Slot {
   public:
    explicit Slot(Slots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->Return();
    }

   private:
    Slots* slots_;
  };

  Slots(Executor executor, size_t concurrency, size_t reserve);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // A slot for a query, after those that came before it; nothing when the deadline passed or the coroutine
  // was cancelled first.
  Awaitable<std::optional<Slot>> TakeForQuery(TimePoint deadline);
  // A slot for a job, if it may have one now.
  std::optional<Slot> TakeForJob();
  // How many jobs may have one now.
  size_t free_for_jobs() const;

  // Called whenever there may be more room for jobs.
  void OnRoom(std::function<void()> on_room) { on_room_ = std::move(on_room); }

  size_t in_flight() const { return in_flight_; }
  size_t job_capacity() const { return job_capacity_; }

 private:
  void Return();

  const Executor executor_;
  const size_t concurrency_;
  const size_t job_capacity_;  // concurrency - reserve
  size_t in_flight_ = 0;
  std::list<OneShot<bool>*> waiting_;  // queries, oldest first
  std::function<void()> on_room_;
};

}  // namespace llm_router
