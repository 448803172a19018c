// The port's queue messages <-> the KubeMQ wire, as a client of it sees them. Pure; any thread.
//
// Strings of ours go to the wire as valid UTF-8, as in convert.h. The wire counts delays and expiries of sent
// messages in whole seconds: both are rounded up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker_adapters/broker.h"
#include "kubemq.pb.h"

namespace llm_router {

// A fresh id where the message has none; `client_id` likewise.
kubemq::QueueMessage QueueMessageOf(Outgoing outgoing, std::string queue, std::string_view client_id);
SendResult SendResultOf(const kubemq::SendQueueMessageResult& result);
// Without a receipt. A count that LaterCopy noted is added, and its tag taken off.
Delivery DeliveryOf(kubemq::QueueMessage message);

// `received` to be sent anew and come after `delay`, its count so far noted in a tag, for servers that can't
// delay a nack. Nothing when it must not come again: it would expire before, or this was its last delivery
// (then a plain nack buries it).
std::optional<kubemq::QueueMessage> LaterCopy(const kubemq::QueueMessage& received,
                                              std::chrono::milliseconds delay, int64_t now);
bool IsLastDelivery(const kubemq::QueueMessage& received);

// What a server says went wrong with a queue call; `fault` is its name where the server is one of ours.
absl::Status QueueFailure(std::string_view text, std::string_view fault);

}  // namespace llm_router
