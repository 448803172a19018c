// The KubeMQ wire's queue messages <-> the port's. Pure; any thread.
//
// Strings of ours go to the wire as valid UTF-8, as in convert.h.
#pragma once

#include "broker_adapters/broker.h"
#include "kubemq.pb.h"

namespace llm_router {

// Attributes given by a sender are passed over. A MaxReceiveCount of 0 is the most there is (1,024), but on a
// queue of jobs: there it is no limit.
Outgoing OutgoingFromWire(const kubemq::QueueMessage& message);

// The policy's ExpirationSeconds is the message's whole time, from its sending to its expiry, and its
// DelaySeconds 0: the delay is over. One that came from another queue by its count has no policy any more.
kubemq::QueueMessage QueueMessageToWire(const Delivery& delivery);

// A failure's Fault is named in RefTopic, which no SDK reads, for clients of ours.
kubemq::SendQueueMessageResult SendResultToWire(const SendResult& result);

}  // namespace llm_router
