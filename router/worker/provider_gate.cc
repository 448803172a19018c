#include "router/worker/provider_gate.h"

#include <algorithm>

namespace llm_router {
namespace {

// Those that were turned away together come back spread over this, once the gate may open.
constexpr Milliseconds kSpread(1'000);

}  // namespace

size_t ProviderGate::MayStart(TimePoint now, size_t wanted) const {
  if (!closed_) return wanted;
  return probing_ || now < not_before_ ? 0 : std::min<size_t>(wanted, 1);
}

ProviderGate::Pass ProviderGate::Start() {
  Pass pass;
  pass.closings = closings_;
  pass.probe = closed_;
  probing_ = probing_ || closed_;
  return pass;
}

// Those that were on their way when the gate closed make it no worse, but may know of a later time.
Milliseconds ProviderGate::Busy(const Pass& pass, std::optional<Milliseconds> retry_after, TimePoint now) {
  if (pass.closings == closings_) {
    ++closings_;
    closed_ = true;
    probing_ = false;
    const Milliseconds backoff = backoff_.Next();
    not_before_ = now + retry_after.value_or(backoff);
  } else if (retry_after) {
    not_before_ = std::max(not_before_, now + *retry_after);
  }
  if (on_change_) on_change_();
  const auto left = std::chrono::ceil<Milliseconds>(not_before_ - now);
  return std::max(left, Milliseconds(0)) + RandomUpTo(kSpread);
}

void ProviderGate::Answered(const Pass& pass) {
  if (pass.closings != closings_) return;
  closed_ = false;
  probing_ = false;
  backoff_.Reset();
  if (on_change_) on_change_();
}

void ProviderGate::NotAsked(const Pass& pass) {
  if (pass.probe && pass.closings == closings_) probing_ = false;
  if (on_change_) on_change_();
}

}  // namespace llm_router
