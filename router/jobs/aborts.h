// Tells workers to drop what was ended elsewhere. Loop thread.
#pragma once

#include "broker_adapters/broker.h"
#include "router/store/store.h"

namespace llm_router {

// `now`: Unix ms. A worker that does not hear it finishes for nothing: the journal answers stale.
void TellToDrop(Broker& broker, const Aborted& aborted, int64_t now);

}  // namespace llm_router
