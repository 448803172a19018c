// The kubemq adapter under the contract, over our own door as a foreign server.
#include "tests/contract/kubemq_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeDoorHarness(loop, false); }

}  // namespace llm_router::test
