// What is said over QueuesDownstream, to servers of ours and foreign ones alike. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker_adapters/kubemq/queue_client_convert.h"
#include "broker_adapters/kubemq/queue_leases.h"

namespace llm_router::downstream {

// A stream on which what comes unasked for goes back to its queue at once.
std::shared_ptr<Downstream> Open(Connection& connection);

kubemq::QueuesDownstreamRequest Question(const Connection& connection,
                                         kubemq::QueuesDownstreamRequestType type);
kubemq::QueuesDownstreamRequest Get(const Connection& connection, std::string queue, size_t most,
                                    Milliseconds wait);
// Says more to a server of ours.
void Note(kubemq::QueuesDownstreamRequest& request, std::string_view key, std::string_view value);

// Ends the transaction of an answer to a Get: each message back in its place, not counted.
void GiveBack(const Connection& connection, Downstream& stream, const kubemq::QueuesDownstreamResponse& got);

absl::Status FailureIn(const kubemq::QueuesDownstreamResponse& response);
// A settlement that was under way when the stream broke.
absl::Status PerhapsSettled(const absl::Status& failure);
// The waiting coroutine was cancelled.
absl::Status Gone();
// One of our bounds is reached.
absl::Status Full();

}  // namespace llm_router::downstream
