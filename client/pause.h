// Pausing between two tries, on the caller's thread. Any thread.
#pragma once

#include <optional>

#include "broker_adapters/base/clock.h"
#include "client/canceller.h"

namespace llm_router::client {

// Pauses that grow from a tenth of a second to two seconds.
class Backoff {
 public:
  Milliseconds Next();

 private:
  Milliseconds next_{100};
};

// When a wait that begins now is over; none: never.
TimePoint EndOf(std::optional<Milliseconds> timeout);

// Blocks until `when`; false as soon as `canceller` is used.
bool PauseUntil(TimePoint when, const Canceller& canceller);

}  // namespace llm_router::client
