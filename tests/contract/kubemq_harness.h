// Harnesses for the kubemq engine: our own door over the embedded broker, and a KubeMQ server's program.
#pragma once

#include <memory>
#include <string>

#include "tests/contract/harness.h"

namespace llm_router::test {

// `announce` false: the door as a foreign server.
std::unique_ptr<Harness> MakeDoorHarness(Loop& loop, bool announce);

// The same door and adapter over TLS, each with a certificate that the other asks for.
std::unique_ptr<Harness> MakeSecuredDoorHarness(Loop& loop);

// The server program that KUBEMQ_SERVER names, on a free port; null without it.
std::unique_ptr<Harness> MakeServerHarness(Loop& loop);

}  // namespace llm_router::test
