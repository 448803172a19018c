// The kubemq adapter under the contract, over our own door.
#include "tests/contract/kubemq_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeDoorHarness(loop, true); }

}  // namespace llm_router::test
