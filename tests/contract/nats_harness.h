// Harnesses for the nats engine: a NATS server of Debian's; null where it is not installed.
#pragma once

#include <memory>

#include "tests/contract/harness.h"

namespace llm_router::test {

// All cases of a program share one server.
std::unique_ptr<Harness> MakeNatsHarness(Loop& loop);

// The same over TLS, each end with a certificate that the other asks for, and with a password.
std::unique_ptr<Harness> MakeSecuredNatsHarness(Loop& loop);

}  // namespace llm_router::test
