// The nats adapter under the contract, over a NATS server of Debian's.
#include "tests/contract/nats_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeNatsHarness(loop); }

}  // namespace llm_router::test
