// What an engine brings to the broker contract: connections to itself. One program per engine links
// `broker_contract` (the cases) and defines MakeHarness.
//
// What an engine can't do it says in its Caps, and the cases ask those; none asks which engine it is.
#pragma once

#include <memory>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/broker.h"

namespace llm_router::test {

class Harness {
 public:
  virtual ~Harness() = default;

  // Another connection to the same engine, ready to use; an engine in this process gives the same one again.
  // Valid until Stop.
  virtual Awaitable<Broker*> Connect() = 0;
  // Whether what was nacked comes before what waits, not behind it. The port promises neither.
  virtual bool NackOvertakes() const { return false; }
  // Stops every connection, then the engine. Called once, also after a failed case.
  virtual Awaitable<void> Stop() = 0;
};

// A fresh engine or a way to a running one, on `loop`. Null where there is none to test: the cases then say
// so and pass.
std::unique_ptr<Harness> MakeHarness(Loop& loop);

}  // namespace llm_router::test
