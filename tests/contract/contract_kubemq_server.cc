// The kubemq adapter under the contract, over the KubeMQ server that KUBEMQ_SERVER names.
#include "tests/contract/kubemq_harness.h"

namespace llm_router::test {

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return MakeServerHarness(loop); }

}  // namespace llm_router::test
