// The Subscription that Serve gives out: a handle on a QuerySubscriber. Loop thread; ends when destroyed.
#pragma once

#include <memory>

#include "broker_adapters/broker.h"
#include "broker_adapters/embedded/query_state.h"

namespace llm_router {

SubscriptionPtr MakeQuerySubscription(std::shared_ptr<QuerySubscriber> subscriber);

}  // namespace llm_router
