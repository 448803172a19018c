// Stored events at the KubeMQ doors, whatever wire they come by: what a subscription asks for, what is
// published, what is seen. Loop thread.
#pragma once

#include <memory>
#include <string>

#include "broker_adapters/stored_events.h"
#include "kubemq.pb.h"
#include "router/gateway/kubemq_server.h"

namespace llm_router {

// What a caller hears where the engine has no stored events.
inline constexpr std::string_view kNoStoredEvents =
    "this server's message broker keeps no stored events: send queries or events instead";

// Publishes an event that `caller` may publish; returns once it is kept: the text to refuse it with, or
// nothing. It is kept all the same when the coroutine is cancelled meanwhile. `stats` live as long as the
// coroutine.
Awaitable<std::string> PublishStored(std::shared_ptr<KubemqServer> server, kubemq::Event event,
                                     CallerPtr caller, DoorStats& stats);

// What a checked subscription asks the engine for. A start time in seconds, ms, us or ns is told by its size,
// for SDKs do not agree. `now`: Unix ns.
StoredSubscribe StoredSubscribeOf(const kubemq::Subscribe& subscribe, int64_t now);

// An event as `caller` may see it, with its number and the time it was stored.
kubemq::EventReceive StoredEventFor(const Caller& caller, const StoredEvent& event);

// The channels that the engine holds are in the registry's list, also those from before this process.
void ListStoredChannels(KubemqServer& server);

}  // namespace llm_router
