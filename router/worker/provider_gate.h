// ProviderGate: whether jobs of one route may call its providers now.
//
// A provider that is busy closes it: no further job starts before the time that the provider named, or before
// a backoff where it named none. Then one job goes alone, the probe: it opens the gate, or closes it again.
// Queries do not ask: their callers wait. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/full_jitter.h"

namespace llm_router {

class ProviderGate {
 public:
  // Given to a job that starts, taken back by one of the three ends.
  struct Pass {
    uint64_t closings = 0;  // how often the gate had been closed by then
    bool probe = false;
  };

  ProviderGate(Milliseconds first, Milliseconds most) : backoff_(first, most) {}

  // How many of `wanted` jobs may start.
  size_t MayStart(TimePoint now, size_t wanted) const;
  Pass Start();

  // The provider is busy; returns how long the job had better stay away.
  Milliseconds Busy(const Pass& pass, std::optional<Milliseconds> retry_after, TimePoint now);
  // The provider answered, with whatever else.
  void Answered(const Pass& pass);
  // It was not asked after all.
  void NotAsked(const Pass& pass);

  // Called after each of the three.
  void OnChange(std::function<void()> on_change) { on_change_ = std::move(on_change); }

  // When the probe may go, if the gate is closed.
  TimePoint not_before() const { return not_before_; }

 private:
  bool closed_ = false;
  bool probing_ = false;
  uint64_t closings_ = 0;
  TimePoint not_before_;
  FullJitter backoff_;
  std::function<void()> on_change_;
};

}  // namespace llm_router
