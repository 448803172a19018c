// The nats adapter under the contract, over TLS with certificates at both ends and a password.
#include "tests/contract/nats_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeSecuredNatsHarness(loop); }

}  // namespace llm_router::test
