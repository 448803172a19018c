// RunLife: whether the worker that has a run is dead, by the heartbeats.
//
// It is when it said goodbye, or was not heard for ten beats by a service that itself could hear: this one
// hears its own beats too, and when it does not, or has not long enough, nobody is called dead. Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "router/roster/roster.h"

namespace llm_router {

class RunLife {
 public:
  // `own`: the name under which this service beats.
  RunLife(const Roster& roster, std::string own, Milliseconds grace)
      : roster_(roster), own_(std::move(own)), grace_(grace) {}

  bool IsDead(std::string_view worker) {
    Listen();
    const RosterTable::Life life = roster_.LifeOf(worker);
    if (life == RosterTable::Life::kLeft) return true;
    return life == RosterTable::Life::kUnknown && hears_ && Now() - hears_since_ >= grace_;
  }

  // At least once a second.
  void Listen() {
    const bool hears = roster_.Beats(own_);
    if (hears && !hears_) hears_since_ = Now();
    hears_ = hears;
  }

 private:
  const Roster& roster_;
  const std::string own_;
  const Milliseconds grace_;
  bool hears_ = false;
  TimePoint hears_since_{};
};

}  // namespace llm_router
