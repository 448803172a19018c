// The kubemq adapter under the contract, over our own door and TLS with certificates at both ends.
#include "tests/contract/kubemq_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeSecuredDoorHarness(loop); }

}  // namespace llm_router::test
